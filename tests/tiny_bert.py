"""A language model of 30 words with random weights, in a folder as Hugging Face writes it. Needs transformers."""

from __future__ import annotations

from pathlib import Path

import pytest

__all__ = ["WORDS", "write_bert"]

WORDS = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("no", "pain", "fever", "cough", "mild", "severe", "left", "right", "knee", "head", "0", "1", "2", "and", "since"),
    *("days", "weeks", "two", "three", "##s", "##ly", ".", ",", "-", "is"),
)


def write_bert(folder: Path, *, layers: int = 2, seed: int = 0) -> Path:
    """Write the model: hidden states of width 16, texts of 20 tokens at most."""
    transformers = pytest.importorskip("transformers", reason="needs fusearch[text]")
    import torch

    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer", "do_lower_case": true}', encoding="utf-8")
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=20,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = transformers.BertModel(config)
        for parameter in network.parameters():  # those that a fresh network has are so small that its layers do nothing
            torch.nn.init.normal_(parameter, std=0.3)
    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    network.save_pretrained(folder)
    if bars:
        transformers.utils.logging.enable_progress_bar()
    return folder
