"""Rates, optimisers and LoRA for adaptation, by held-out pairs and by what is forgotten.

    python benchmarks/adaptation.py --sentences ../shared/data/sentences/omcs_conceptnet.txt --general ../shared/data/sentences/genericskb.txt

Pairs are made crudely (the last third of a sentence is the target), so that nothing but adaptation is measured. Prints one line a
setting, and with ``--out`` writes everything as JSON. Takes a minute a setting for 1,500 pairs on one core.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from mto.adapt import AdaptConfig, adapt
from mto.prepare.opening import read_lines
from mto.prepare.pairs import Pair, pairs_folder, write_shard

SETTINGS: tuple[dict[str, Any], ...] = (
    *({"optimizer": "adamw", "rate": rate} for rate in (1e-4, 3e-4, 1e-3)),
    *({"optimizer": "adafactor", "rate": rate} for rate in (1e-4, 3e-4, 1e-3)),
    *({"optimizer": "adamw", "rate": rate, "lora": {"rank": 16}} for rate in (1e-3, 3e-3)),
    {"optimizer": "adamw", "rate": 3e-4, "replay": True},
    {"optimizer": "adafactor", "rate": 1e-4, "replay": True},
)


def make_pairs(path: Path, count: int) -> list[Pair]:
    """Pairs from sentences of six words or more."""
    pairs = []
    for number, line in enumerate(read_lines(path), 1):
        words = line.rstrip(".").split()
        if len(words) < 6:
            continue
        cut = len(words) - max(1, len(words) // 3)
        before, target = " ".join(words[:cut]), " ".join(words[cut:])
        pairs.append(
            Pair(
                before,
                target,
                "",
                "denoising",
                0.5,
                "crude",
                "last-phrase",
                0.0,
                line,
                f"{path.name}:{number}",
            )
        )
        if len(pairs) == count:
            break
    return pairs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sentences", type=Path, required=True)
    parser.add_argument("--general", type=Path, required=True)
    parser.add_argument("--model", default="mini")
    parser.add_argument("--pairs", type=int, default=1500)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--objective", default="denoising")
    parser.add_argument("--only", help="numbers of the settings to measure, with commas")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_shard(pairs_folder(folder, "task"), 0, make_pairs(args.sentences, args.pairs), "key")
        general = list(islice(read_lines(args.general), 0, None, 10))
        (folder / "held-out.txt").write_text("\n".join(general[:300]))
        (folder / "more.txt").write_text("\n".join(general[300:]))
        chosen = [int(n) for n in args.only.split(",")] if args.only else range(len(SETTINGS))
        for number in chosen:
            setting = dict(SETTINGS[number])
            if setting.pop("replay", None):
                setting["replay"] = str(folder / "more.txt")
            config = AdaptConfig(
                model=args.model, pairs=folder, objective=args.objective, epochs=args.epochs, held_out=0.1, keep_best=False,
                patience=None, device="cpu", **setting,
            )  # fmt: skip
            result = adapt(config, folder / f"run-{number}")
            rows.append({"setting": SETTINGS[number], **result.stored()})
            told = "  ".join(
                f"{name} {value:.3f}->{result.after[name]:.3f}"
                for name, value in result.before.items()
                if "/" in name and "bits" not in name
            )
            print(
                f"{SETTINGS[number]}: {told}  {result.steps} steps, {result.tokens_per_second:,.0f} tokens/s",
                flush=True,
            )
            if args.out:
                args.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
