"""The splitter of rules: text behind the task's phrase up to the end of the clause, else the last phrase of the sentence. No model.

In sentences of a classification the last word of a label is the target, and there is no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mto.config import Strict
from mto.match.guidelines import Tagger, get_tagger
from mto.match.guidelines.shape import shape
from mto.match.guidelines.words import words as plain_words
from mto.prepare.sentence import Selected
from mto.prepare.splitting.cues import Cue, Reader, Word, cues_of
from mto.prepare.splitting.found import BY_PHRASE, LABEL_WORD, NO_LABEL_WORD, NOTHING, Found
from mto.prepare.splitting.labels import LabelWords
from mto.prepare.splitting.places import Place
from mto.prepare.splitting.spans import clause_end
from mto.prepare.splitting.ways import Way
from mto.templates.family import COMPLETION_FIELDS

_NOMINAL = frozenset(("NOUN", "PROPN", "NUM", "X"))
_INSIDE = _NOMINAL | {"ADJ", "DET"}
_OWNERS = frozenset("my your his her its our their".split())


class Hints(Strict):
    """What rules are told of a task.

    Attributes:
        task: its name.
        phrases: its phrases as template texts; targets are looked for behind them.
        fields: names of the fields that the phrases may hold.
        targets: targets of labelled rows, which say what is looked for where no phrase stands.
        way: what of a sentence stands for an answer.
        labels: of a classification, each label with its words.
    """

    task: str
    phrases: tuple[str, ...] = ()
    fields: tuple[str, ...] = COMPLETION_FIELDS
    targets: tuple[str, ...] = ()
    way: Way = "span"
    labels: dict[str, tuple[str, ...]] = {}


@dataclass(frozen=True)
class Wanted:
    """What the targets of a task are like.

    Attributes:
        clause: whether most hold a verb; None: not known.
        with_to: whether those that do mostly begin with *to*.
    """

    clause: bool | None = None
    with_to: bool = False


class RuleSplitter:
    """See the module. Made by `rule_splitter`."""

    name = "rules"

    def __init__(
        self,
        cues: Mapping[str, Sequence[Cue]],
        wanted: Mapping[str, Wanted],
        labels: Mapping[str, LabelWords],
        tagger: Tagger,
        reader: Reader,
    ) -> None:
        self._cues, self._wanted, self._labels = cues, wanted, labels
        self._tagger, self._reader = tagger, reader

    def split(self, batch: Sequence[Selected]) -> list[Found]:
        """As `Splitter`; ``by`` is ``phrase``, ``last-phrase`` or ``label-word``."""
        return [self._split(one) for one in batch]

    def _split(self, one: Selected) -> Found:
        text = one.sentence.text
        if one.task in self._labels:
            word = self._labels[one.task].find(text)
            return Found(word.place, LABEL_WORD) if word else Found(None, why=NO_LABEL_WORD)
        words = self._reader(text)
        for cue in self._cues.get(one.task, ()):
            start = cue.end(words)
            if start is not None:
                end = clause_end([word.place for word in words], start, text)
                return Found(_span(words, start, end), BY_PHRASE)
        wanted = self._wanted.get(one.task, Wanted())
        tags = self._tagger.tag([word.text for word in words])
        start = last_phrase(words, tags, wanted)
        if start is None:
            return Found(None, why=NOTHING)
        end = clause_end([word.place for word in words], start, text)
        return Found(_span(words, start, end), "last-phrase")


def rule_splitter(tasks: Sequence[Hints], *, tagger: str | Tagger = "auto") -> RuleSplitter:
    """A splitter for sentences of these tasks; a sentence of any other task gets its last phrase.

    Args:
        tasks: what is known of each.
        tagger: as for `get_tagger`.

    Raises:
        UnknownNameError: no such tagger.
        TemplateError: a phrase is wrong.

    >>> from mto.prepare.sentence import Selected, Sentence
    >>> hints = Hints(task="tools/Use", phrases=("The {{ head }} can be used to",))
    >>> text = "Claw hammers are used to pull nails, too."
    >>> [found] = rule_splitter([hints], tagger="small").split([Selected(Sentence(text, ""), "tools/Use", 0.0, "phrase")])
    >>> found.place.of(text), found.by
    ('pull nails', 'phrase')
    """
    chosen, reader = get_tagger(tagger), Reader()
    return RuleSplitter(
        {one.task: cues_of(one.phrases, one.fields, reader) for one in tasks if one.way == "span"},
        {one.task: _wanted(one.targets, chosen) for one in tasks},
        {one.task: LabelWords(one.labels) for one in tasks if one.way == "label-word"},
        chosen,
        reader,
    )


def last_phrase(words: Sequence[Word], tags: Sequence[str], wanted: Wanted) -> int | None:
    """Number of the word that begins the last clause or noun phrase (or adjective) of a sentence, as the task's targets are.

    A clause is what follows the last *to*, the last verb in *-ing* behind *for* or *by*, or else the last verb with what follows it.
    Where it is not known what targets are like, a clause behind *to* is taken before a noun phrase. None where neither is found, or
    it would be all of the sentence.
    """
    start = None
    if wanted.clause is not False:
        start = _infinitive(words, tags, wanted)
        if start is None and wanted.clause:
            start = _last_verb(words, tags)
    if start is None:
        start = _last_nominal(words, tags)
    return start or None


def _infinitive(words: Sequence[Word], tags: Sequence[str], wanted: Wanted) -> int | None:
    for at in range(len(words) - 2, 0, -1):
        if words[at].text == "to" and tags[at + 1] in ("VERB", "AUX"):
            return at if wanted.with_to else at + 1
        if words[at].text in ("for", "by") and words[at + 1].text.endswith("ing"):
            return at + 1
    return None


def _last_verb(words: Sequence[Word], tags: Sequence[str]) -> int | None:
    for at in range(len(words) - 1, 0, -1):
        if tags[at] == "VERB" and tags[at - 1] not in ("DET", "ADJ", "ADP"):
            return at
    return None


def _last_nominal(words: Sequence[Word], tags: Sequence[str]) -> int | None:
    """Where the last noun phrase begins, or the last adjective where it ends the sentence."""
    last = len(words) - 1
    if last < 0 or tags[last] not in _INSIDE or tags[last] == "DET":
        return None
    start = last
    while start > 0:
        before, word = tags[start - 1], words[start - 1].text
        chained = word == "of" and start > 1 and tags[start - 2] in _NOMINAL | {"ADJ"}
        adverb = before == "ADV" and tags[start] == "ADJ"
        if (before in _INSIDE and tags[start] != "DET") or word in _OWNERS or adverb:
            start -= 1
        elif chained:
            start -= 2
        else:
            break
    return start


def _span(words: Sequence[Word], start: int, end: int) -> Place:
    return Place(words[start].place.start, words[end - 1].place.end)


def _wanted(targets: Sequence[str], tagger: Tagger) -> Wanted:
    if not targets:
        return Wanted()
    read = [plain_words(target) for target in targets]
    verbs = [one for one in read if one and shape(one, tagger.tag(one)) == "verb"]
    with_to = sum(one[0].lower() == "to" for one in verbs)
    return Wanted(2 * len(verbs) > len(read), 2 * with_to > len(verbs))
