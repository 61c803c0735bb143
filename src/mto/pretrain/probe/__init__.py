"""A small probe of everyday knowledge: does a checkpoint rank the true answer above plausible others?"""

from mto.pretrain.probe.facts import Fact, candidates, load_facts
from mto.pretrain.probe.run import ProbeResult, run_probe

__all__ = ["Fact", "ProbeResult", "candidates", "load_facts", "run_probe"]
