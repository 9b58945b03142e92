"""Language models in folders, as Hugging Face writes them: what a text modality with the key `model` is read through (decision 0079)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.assembly.decoded import DecodedFiles, decode_once
from fusearch.data.files.stacking import load_package
from fusearch.data.files.text import one_line
from fusearch.data.files.texts import read_tokenizer, text_states
from fusearch.errors import DataError

__all__ = ["LONGEST", "LanguageModel", "open_language_model", "read_states"]

#: Tokens of a text that are read where the manifest does not say it.
LONGEST = 256


@dataclass(frozen=True)
class LanguageModel:
    """A language model, ready to read texts.

    Attributes:
        name: Name of its folder, for messages.
        network: The network, of the library `transformers`, as it was trained; it is never trained here.
        document: Its tokenizer as the library `tokenizers` writes it.
        length: Tokens of a text that are read; longer ones are cut.
        width: Width of its states.
        encoding: Makes tensors of arrays.
    """

    name: str
    network: Any
    document: str
    length: int
    width: int
    encoding: Any

    def run(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return the last states of one text, (1, T, D), of its tokens, (1, T)."""
        inputs = self.encoding({"input_ids": ids}, tensor_type="pt")
        states: npt.NDArray[np.float32] = self.network(**inputs).last_hidden_state.float().numpy()
        return states

    def shape(self, pooling: str) -> tuple[int, int]:
        """Return the shape of what it gives for a text."""
        return (1 if pooling == "mean" else self.length, self.width)


def open_language_model(folder: Path, layers: int | None, length: int | None) -> LanguageModel:
    """Open a model from its folder: nothing is downloaded, and no code in the folder is run.

    Args:
        folder: The folder: configuration, tokenizer, weights (safetensors, or a state dict that is read with `weights_only`).
        layers: How many of its hidden layers are computed, from the first; None: all.
        length: Tokens of a text; None: `LONGEST`, or as many as it takes.

    Raises:
        DataError: `transformers` is missing, or the folder holds no model that reads texts token by token.
    """
    library = load_package("transformers", folder.name)
    local = {"local_files_only": True, "trust_remote_code": False}
    with _quiet(library):
        try:
            config = library.AutoConfig.from_pretrained(folder, **local)
            tokenizer = library.AutoTokenizer.from_pretrained(folder, **local)
            most = int(config.num_hidden_layers)
            if layers is not None and layers > most:
                raise DataError(f"model {folder.name!r}: layers is {layers}, expected 1 to {most}, as many as it has")
            config.num_hidden_layers = layers or most
            network, found = library.AutoModel.from_pretrained(folder, config=config, output_loading_info=True, **local)
        except DataError:
            raise
        except Exception as error:  # each model raises errors of its own
            raise DataError(f"model {folder.name!r} cannot be opened by transformers: {type(error).__name__}: {one_line(error)}") from None
    lost = sorted(name for name in found["missing_keys"] if not name.startswith("pooler."))
    if lost or found["mismatched_keys"]:
        what = f"no weights {lost[0]!r}" if lost else "weights of other shapes than its configuration says"
        raise DataError(f"model {folder.name!r}: its folder holds {what}, expected all of them")
    if not getattr(tokenizer, "is_fast", False):
        raise DataError(
            f"model {folder.name!r}: its tokenizer is written in Python, expected one of the library tokenizers (tokenizer.json)"
        )
    network.requires_grad_(False).eval()
    limits = [limit for limit in (tokenizer.model_max_length, getattr(config, "max_position_embeddings", None)) if limit and limit > 0]
    taken = length or int(min([LONGEST, *limits]))
    model = LanguageModel(folder.name, network, tokenizer.backend_tokenizer.to_str(), taken, 0, library.BatchEncoding)
    try:
        return replace(model, width=model.run(np.ones((1, taken), np.int64)).shape[2])
    except Exception as error:  # as above
        what = f"{taken} tokens of a text alone: {type(error).__name__}: {one_line(error)}"
        raise DataError(f"model {folder.name!r} gives no states for {what}; a smaller `length` may help") from None


def read_states(texts: Sequence[str | None], folder: Path, *, layers: int | None, length: int | None, pooling: str) -> DecodedFiles:
    """Return the states of texts, (N, T, D), or (N, 1, D) of their means. They are computed once and kept on disk.

    Raises:
        DataError: As `open_language_model`.
    """

    def compute(make: Any) -> DecodedFiles:
        model = open_language_model(folder, layers, length)
        tokenizer = read_tokenizer(model.document, model.name, model.length)
        values, cut = text_states(texts, tokenizer, model.run, pooling=pooling, make=make, shape=model.shape(pooling))
        told = f"{cut} of {len(texts)} texts are longer than {model.length} tokens and cut there; `length` in the manifest reads more"
        return DecodedFiles(values, (told,) if cut else ())

    arguments = {"texts": list(texts), "layers": layers, "length": length, "pooling": pooling}
    return decode_once(sorted(folder.iterdir()), arguments, compute, kept_from=0)


@contextmanager
def _quiet(library: Any) -> Iterator[None]:
    """Silence what the library tells of loading; what matters of it is told as an error."""
    logging = library.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
