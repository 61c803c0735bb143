"""Irregular forms of common English words, and the lemma of each."""

from __future__ import annotations

_FORMS = """
be: am is are was were been being
have: has had having
do: does did done doing
go: goes went gone going
arise: arose arisen
awake: awoke awoken
bear: bore borne born
beat: beaten
become: became
begin: began begun
bend: bent
bind: bound
bite: bit bitten
bleed: bled
blow: blew blown
break: broke broken
breed: bred
bring: brought
build: built
burn: burnt
buy: bought
catch: caught
choose: chose chosen
cling: clung
come: came
creep: crept
deal: dealt
dig: dug
draw: drew drawn
dream: dreamt
drink: drank drunk
drive: drove driven
eat: ate eaten
fall: fell fallen
feed: fed
feel: felt
fight: fought
find: found
flee: fled
fly: flew flown flies
forbid: forbade forbidden
forget: forgot forgotten
forgive: forgave forgiven
freeze: froze frozen
get: got gotten
give: gave given
grind: ground
grow: grew grown
hang: hung
hear: heard
hide: hid hidden
hold: held
keep: kept
kneel: knelt
know: knew known
lay: laid
lead: led
lean: leant
leap: leapt
learn: learnt
leave: left
lend: lent
lie: lay lain lying
light: lit
lose: lost
make: made
mean: meant
meet: met
pay: paid
ride: rode ridden
ring: rang rung
rise: rose risen
run: ran
say: said
see: saw seen
seek: sought
sell: sold
send: sent
sew: sewn
shake: shook shaken
shine: shone
shoot: shot
show: shown
shrink: shrank shrunk
sing: sang sung
sink: sank sunk
sit: sat
sleep: slept
slide: slid
smell: smelt
speak: spoke spoken
spend: spent
spill: spilt
spin: spun
spit: spat
spring: sprang sprung
stand: stood
steal: stole stolen
stick: stuck
sting: stung
stink: stank stunk
strike: struck
swear: swore sworn
sweep: swept
swim: swam swum
swing: swung
take: took taken
teach: taught
tear: tore torn
tell: told
think: thought
throw: threw thrown
tie: tying
understand: understood
wake: woke woken
wear: wore worn
weave: wove woven
weep: wept
win: won
wind: wound
write: wrote written
die: dying
person: people persons others
child: children
man: men
woman: women
foot: feet
tooth: teeth
goose: geese
mouse: mice
ox: oxen
knife: knives
wife: wives
life: lives
leaf: leaves
loaf: loaves
half: halves
shelf: shelves
thief: thieves
wolf: wolves
calf: calves
scarf: scarves
potato: potatoes
tomato: tomatoes
shoe: shoes
good: better best
bad: worse worst
"""
_KEEP = "this his its us gas bus yes news always".split()
"""Words whose last letter is no ending."""


def _table() -> dict[str, str]:
    table = {word: word for word in _KEEP}
    for line in _FORMS.split("\n"):
        lemma, _, forms = line.partition(":")
        table |= dict.fromkeys([lemma, *forms.split()], lemma)
    table.pop("", None)
    return table


IRREGULAR = _table()
"""Form to lemma; a lemma stands in it as its own form. Where two lemmas share a form ("lives"), it belongs to the later line."""
