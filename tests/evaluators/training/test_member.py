from fusearch.evaluators.training.member import Member, make_members


def test_members_come_fold_by_fold() -> None:
    assert make_members(2, 2) == (Member(0, 0), Member(0, 1), Member(1, 0), Member(1, 1))
    assert make_members(2, 2, 99) == make_members(2, 2)
    assert make_members(2, 2, 0) == (Member(0, 0),)


def test_fewer_members_than_all_leave_out_seeds_before_folds() -> None:
    assert make_members(2, 2, 3) == (Member(0, 0), Member(0, 1), Member(1, 0))
    assert make_members(3, 2, 3) == (Member(0, 0), Member(1, 0), Member(2, 0))


def test_one_seed_alone_is_that_of_every_fold() -> None:
    assert make_members(2, 3, seed=5) == (Member(0, 5), Member(1, 5))
    assert make_members(3, 3, 2, seed=5) == (Member(0, 5), Member(1, 5))


def test_a_member_draws_the_same_numbers_for_every_design_and_others_for_every_fold_and_seed() -> None:
    assert Member(1, 2).stream == Member(1, 2).stream
    assert len({Member(fold, seed).stream for fold in range(5) for seed in range(5)}) == 25
