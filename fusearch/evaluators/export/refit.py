"""The last training of a design: on train + val, for a fixed number of epochs, once for each seed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch

from fusearch.data import Dataset
from fusearch.evaluators.cost import count_costs
from fusearch.evaluators.device import device_for
from fusearch.evaluators.export.deployed import DeployedModel
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.start import start_network
from fusearch.evaluators.tasks import bind_task
from fusearch.evaluators.training.balance import constant_logits
from fusearch.evaluators.training.modes import predict, solver_of, train
from fusearch.evaluators.training.optimization import reproducible
from fusearch.evaluators.training.samples import deal_parts, make_samples
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.search_space import Candidate

__all__ = ["refit"]


def refit(
    data: Dataset,
    candidate: Candidate,
    *,
    epochs: Mapping[str, int],
    seeds: int = 3,
    batch_size: int = 64,
    threads: int | None = 1,
    device: torch.device | str = "auto",
) -> DeployedModel:
    """Train a design on the train + val rows and return it with its preprocessing inside, on the CPU.

    One preprocessing, fitted on the same rows, serves all seeds; nothing is held out, so nothing stops a training early. A linear
    model that is solved is the same for every seed, so it is solved once.

    Args:
        data: The data set; its test split is not touched.
        candidate: The design and its recipe.
        epochs: Phase of training -> epochs: the medians of the best epochs of the members that were evaluated.
        seeds: Networks to train, with the seeds 0, 1, ...; their outputs are averaged.
        batch_size: Rows of one step.
        threads: Threads of one torch operation, or None to leave them.
        device: Where to train: `cpu`, `cuda`, `cuda:1`, ...; `auto`: a GPU where there is one, for designs that are
            large enough for it to be faster.

    Raises:
        EvaluationError: A loss is not finite.
    """
    rows = data.rows("search")
    preprocessor = data.fit_preprocessor(rows)
    inputs, present = preprocessor.transform(data, rows)
    task = bind_task(data.task).fit(data.targets[rows])
    targets = task.encode(data.targets[rows])
    device = device_for(device, lambda: batch_size * count_costs(candidate, task, targets[:1], batch=batch_size)["macs"])
    task = task.to(device)
    samples = make_samples(inputs, present, targets, parts=deal_parts(data, rows), device=device)
    settings = TrainingSettings(epochs=max(epochs.values(), default=1), batch_size=batch_size)
    networks, tasks = [], []
    for seed in range(seeds if solver_of(candidate.graph, task, candidate.recipe) is None else 1):
        with reproducible(seed, threads=threads, device=device) as generator:
            network = FusionNetwork.of(candidate, task).to(device)
            start_network(network, data.given_weights, constant_logits(candidate.recipe, task, samples.targets))
            train(
                network,
                samples,
                None,
                recipe=candidate.recipe,
                task=task,
                settings=settings,
                generator=generator,
                epochs=epochs,
                given=data.given_weights,
            )
            tasks.append(task.settled(partial(predict, network, samples), samples.targets).cpu())
        networks.append(network.cpu())
    used = {modality.name for modality in candidate.graph.modalities}
    return DeployedModel(networks, [part for part in preprocessor.statistics if part.modality.name in used], task=tasks)
