"""Signals as requests to stop."""

import os
import signal
import threading

import pytest

from fusearch.search.interrupts import Interrupts


@pytest.fixture
def apart(monkeypatch):
    """Take each signal for a request of its own, though the test sends them at once."""
    monkeypatch.setattr(Interrupts, "TOGETHER", 0.0)


@pytest.mark.parametrize("number", Interrupts.SIGNALS)
def test_signals_that_come_together_are_one(number, monkeypatch):
    """`timeout` signals its child, and then the group that the child is in."""
    now = [100.0]
    monkeypatch.setattr("fusearch.search.interrupts.time.monotonic", lambda: now[0])
    with Interrupts() as interrupts:
        for _ in range(3):
            os.kill(os.getpid(), number)
        assert interrupts.received == number.name
        now[0] += Interrupts.TOGETHER
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", Interrupts.SIGNALS)
@pytest.mark.usefixtures("apart")
def test_the_first_signal_is_noted_and_the_second_raises(number):
    with Interrupts() as interrupts:
        os.kill(os.getpid(), number)
        assert interrupts.received == number.name
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)


def test_inside_prompt_the_first_signal_raises():
    with Interrupts() as interrupts:
        with pytest.raises(KeyboardInterrupt), interrupts.prompt():
            os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.received == "SIGINT"


@pytest.mark.usefixtures("apart")
def test_what_is_held_is_not_torn_apart_until_someone_insists():
    with Interrupts() as interrupts, interrupts.held():
        for _ in range(Interrupts.PATIENCE - 1):
            os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.received == "SIGINT"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_what_is_held_inside_prompt_raises_when_it_is_whole():
    done = []

    def write(interrupts):
        with interrupts.held():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("written")
        done.append("not reached")

    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt), interrupts.prompt():
        write(interrupts)
    assert done == ["written"]


def test_a_terminal_that_closes_is_a_stop_unless_nohup_ignores_it():
    before = signal.getsignal(signal.SIGHUP)
    try:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGHUP)
            assert interrupts.received == "SIGHUP"
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGHUP)
            assert interrupts.received is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_noted_before_prompt_is_raised_by_it():
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt), interrupts.prompt():
            pytest.fail("entered")


def test_handlers_are_put_back_and_can_be_claimed_again():
    before = [signal.getsignal(number) for number in Interrupts.SIGNALS]
    with Interrupts() as interrupts:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        interrupts.listen()
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupts.received == "SIGTERM"
    assert [signal.getsignal(number) for number in Interrupts.SIGNALS] == before


def test_outside_the_main_thread_nothing_is_installed():
    seen = []

    def enter():
        with Interrupts() as interrupts:
            seen.append(interrupts.received)

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [None]
    assert signal.getsignal(signal.SIGINT) == before
