"""The words of the report that not every reader knows, each explained once: on hover, and in the glossary at the end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape

__all__ = ["GLOSSARY", "meaning", "terms_in", "with_meanings"]

#: Word -> what it means. A word may stand in the plural (`members`) and begin a sentence.
GLOSSARY: Mapping[str, str] = {
    "modality": "One kind of data on the same sample, such as laboratory values, an image or a signal.",
    "fusion": "The place in a network where modalities are brought together.",
    "design": "Which modalities are taken, and where and how they are brought together.",
    "reference": "A simple design that every search tries first: one modality, a linear model, early, penultimate, late and "
    "stacked fusion.",
    "early fusion": "The inputs of all modalities are joined before anything is learned of them.",
    "penultimate concatenation": "Each modality has its own network up to the layer before the last; these are set side by side.",
    "late fusion": "A model for each modality decides alone; the decisions are averaged.",
    "stacked late fusion": "A model for each modality decides alone; a simple model learns, on samples that these have not seen, how far "
    "to trust each of them.",
    "after selection": "The score of what the same rule picks on some rows, on rows that it did not pick by. The best of many designs "
    "looks better than it is; this takes that luck out.",
    "90 % interval": "From the 5 % to the 95 % quantile over many draws of the rows: how far the number hangs on who was in the data.",
    "member": "One training of a design: one fold and one seed.",
    "fold": "One of several divisions of the rows into a part to learn from and a part to be scored on.",
    "standard error": "How far a mean over members is likely to be off: their standard deviation over the root of their number.",
    "±": "The standard deviation over the members of a design, everywhere in this report.",
    "AUROC": "How well scores rank: the chance that a sample of a class is scored above one of another. 0.5 is guessing, 1 is perfect.",
    "AUPRC": "The mean precision over all sensitivities. A guess reaches the share of the positive class.",
    "balanced accuracy": "The mean over the classes of the share that is recognized.",
    "macro F1": "The mean over the classes of F1, which asks that a class is found and that few others are taken for it.",
    "mean F1": "The mean over the labels of F1, which asks that a label is found and that it is not told of samples without it.",
    "MCC": "Matthews correlation between prediction and truth: 0 is guessing, 1 is perfect.",
    "log loss": "How surprised the model is by the truth; less is better. It asks for honest probabilities.",
    "Brier score": "The mean squared error of the probabilities; less is better.",
    "C-index": "The share of pairs in which who had the event first has the larger predicted risk. 0.5 is guessing, 1 is perfect.",
    "integrated Brier score": "The mean over time of the squared error of survival probabilities; less is better.",
    "time-dependent AUC": "How well risks tell who has the event until a time from who has not, over several times. 0.5 is guessing.",
    "RMSE": "Root of the mean squared error, in the units of what is predicted; less is better.",
    "MAE": "Mean absolute error, in the units of what is predicted; less is better.",
    "R²": "The share of the differences between samples that is explained: 0 is the mean for everyone, 1 is perfect.",
    "sensitivity": "Of the samples of a class, the share that is recognized; also called recall.",
    "specificity": "Of the samples that are not of a class, the share that is not taken for it.",
    "precision": "Of the samples that are taken for a class, the share that is of it.",
    "MACs": "Multiplications and additions for one prediction: how much computing it costs.",
    "parameters": "Numbers that training sets.",
    "Pareto front": "The designs that no other beats in every objective: whoever wants more of one must give up some of another.",
    "dominated": "Another design is at least as good in every objective and better in one.",
    "hypervolume": "The share of the box between the worst and the best values seen that some design dominates, from 0 to 1.",
    "sudden": "All modalities enter at once.",
    "gradual": "Some modality enters later, at a fusion that takes another fusion.",
    "multi-flow": "All modalities are fused more than once, side by side.",
    "synchronous": "Every fusion takes its modalities at the same depth.",
    "asynchronous": "Some fusion takes its modalities at different depths.",
    "joint-late": "The class scores of the modalities are fused by something that learns.",
    "intermediate": "Modalities are fused inside the network, between inputs and class scores.",
    "recipe": "How a design is trained: width, dropout, learning rate and the like.",
    "stopped": "Not trained to the end: above a bound, or worse than others at the same point.",
    "digest": "A short code that names a design; --pick takes it.",
}

_PLURALS = {f"{word}s": word for word in ("fusion", "design", "reference", "member", "fold", "recipe", "digest", "standard error")}
_PLURALS |= {"modalities": "modality", "sensitivities": "sensitivity"}
_LOWER = {word.lower(): word for word in GLOSSARY} | _PLURALS
#: Words that stand in nearly every line: they have their place in the glossary, but no line is dotted with them.
_PLAIN = frozenset({"modality", "fusion", "design", "reference", "fold", "parameters", "±"})
# The longest first: `penultimate concatenation` before anything that it holds.
_PATTERN = re.compile(
    "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(_LOWER, key=len, reverse=True) if _LOWER[word] not in _PLAIN),
    re.IGNORECASE,
)


def meaning(word: str) -> str:
    """Return what a word means; empty where it needs no explanation."""
    return GLOSSARY.get(_LOWER.get(word.lower(), ""), "")


def terms_in(texts: Iterable[str]) -> list[str]:
    """Return the words of the glossary that occur in some texts, in its order."""
    joined = " ".join(texts).lower()
    found = {term for word, term in _LOWER.items() if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", joined)}
    return [term for term in GLOSSARY if term in found]


def with_meanings(text: str) -> str:
    """Return a text as HTML, where each word that needs it carries its meaning the first time that it occurs.

    Example:
        >>> with_meanings("a < b, sudden")
        'a &lt; b, <abbr title="All modalities enter at once.">sudden</abbr>'
    """
    parts: list[str] = []
    seen: set[str] = set()
    end = 0
    for found in _PATTERN.finditer(text):
        term = _LOWER[found[0].lower()]
        if term in seen:
            continue
        seen.add(term)
        parts += [escape(text[end : found.start()]), f'<abbr title="{escape(GLOSSARY[term])}">{escape(found[0])}</abbr>']
        end = found.end()
    return "".join([*parts, escape(text[end:])])
