"""What the published studies train beside their task and the designs as built leave out, with the reason and what comes near."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LEFT_OUT"]

#: Number of a study -> the part that is left out, why, and which operator or number of a recipe comes near.
LEFT_OUT: Mapping[int, str] = {
    4: (
        "The conditional GAN that makes paired samples before the classifier is trained: it enlarges the training set, it is no part of a "
        "network. `sampling: balanced` and `augmentation` of a recipe do less, of the rows that there are."
    ),
    14: (
        "The reconstruction term of the autoencoder of the connectivity stream, inferred from the drawing. `reconstruction` with that "
        "stream's raw values (`fnc@0`) among its arguments adds such a term, of one hidden layer; weight: `loss_weight`."
    ),
    18: (
        "The adversarial graph term: a result would hang on the other samples of a batch. `adversarial` tells modalities apart sample by "
        "sample, with the gradient reversed."
    ),
    31: (
        "The regularizer of each branch, none of which is stated. `reconstruction` of `fnc@0` stands for that of the autoencoder, weight "
        "decay for those of the others."
    ),
    44: (
        "The variational bound of the VRNN, with its imputation step by step: a recurrent network with a latent state and its own noise, "
        "assumed from the text. Missing values of a series are imputed before the encoder."
    ),
    51: (
        "The pretext (which of six transforms a signal went through) on unlabelled signals: training on rows without a target, which data "
        "sets here do not hold. `train = staged` trains each stream on the task first."
    ),
    53: (
        "The reconstruction terms of the autoencoder and of the VAE behind the join, assumed. `reconstruction` adds the first; a VAE draws "
        "its state at random, which no trunk does."
    ),
}
