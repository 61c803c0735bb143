"""How an example is written for a model: the template language, its segments, and the families of docs/method.md 3."""

from mto.templates.compile import Template, compile_template
from mto.templates.encode import Encoded, SoftSpan, encode_example, encode_many
from mto.templates.family import (
    BASIC,
    BASIC_CHOICE,
    CHOICE,
    CHOICE_SOFT,
    COMPLETION_FIELDS,
    SOFT,
    FamilyFile,
    TemplateFamily,
    get_family,
    list_families,
    load_family,
    template_families,
)
from mto.templates.language import RESERVED
from mto.templates.layout import CHOICE_FIELDS, MOST_CHOICES, Layout, choices_of, with_layout
from mto.templates.lint import Problem, phrase_problems
from mto.templates.segments import (
    AnswerSegment,
    ChoiceSegment,
    FieldSpan,
    MaskSegment,
    Rendered,
    Segment,
    SoftSegment,
    TextSegment,
    plain_text,
)
from mto.templates.show import Shown, Side, show_example

__all__ = [
    "BASIC",
    "BASIC_CHOICE",
    "CHOICE",
    "CHOICE_FIELDS",
    "CHOICE_SOFT",
    "COMPLETION_FIELDS",
    "MOST_CHOICES",
    "RESERVED",
    "SOFT",
    "AnswerSegment",
    "ChoiceSegment",
    "Encoded",
    "FamilyFile",
    "FieldSpan",
    "Layout",
    "MaskSegment",
    "Problem",
    "Rendered",
    "Segment",
    "Shown",
    "Side",
    "SoftSegment",
    "SoftSpan",
    "Template",
    "TemplateFamily",
    "TextSegment",
    "choices_of",
    "compile_template",
    "encode_example",
    "encode_many",
    "get_family",
    "list_families",
    "load_family",
    "phrase_problems",
    "plain_text",
    "show_example",
    "template_families",
    "with_layout",
]
