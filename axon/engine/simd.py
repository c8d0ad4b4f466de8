"""Vectors of ``LANES`` doubles for kernels, so that a loop over rows is SIMD by construction.

Numba vectorises a loop only when it can prove that no array overlaps another, which a kernel with a dozen
arrays never allows. Here the vector is a type of its own with ``+ - * /``; loads and stores are explicit, and
the compiler maps them to whatever the processor has. With the JIT off a vector is a small NumPy array, and
the same kernels run.

Tables: one row serves four gates, as ``A0..A3 B0..B3`` for the constant, linear and quadratic coefficient of
the local interpolation (24 doubles): four gates of a compartment advance with three loads and three
multiply-adds.
"""

from __future__ import annotations

import hashlib
import math
import operator
from pathlib import Path

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 8
GATES_PER_CHUNK = 4
TABLE_WIDTH = 6 * GATES_PER_CHUNK  # doubles in one table row
# Of the two Gauss points of a step in what a gate gains; see ``history``.
GAUSS_WEIGHTS = 0.5 - math.sqrt(1 / 3), 0.5 + math.sqrt(1 / 3)

# No array is made or kept inside a kernel, so none needs its references counted (that alone costs fourfold).
OPTIONS = {
    "_nrt": False,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "nsz"},
    "cache": True,
}


def _fingerprint() -> str:
    """Something that changes with any source file of the engine."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


_SOURCES = _fingerprint()


def kernel(function):
    """Compile a function as part of the engine, kept on disk wherever a place to write is found.

    Numba's cache looks at the time stamp of one file alone: not enough when another file of the engine
    changes, or when an installer gives every version the same time. So the name under which it is kept has
    the state of all of them in it.
    """
    function.__qualname__ += f"_{_SOURCES}"
    try:
        return njit(**OPTIONS)(function)
    except RuntimeError:  # Numba found no writable folder for its cache
        return njit(**{**OPTIONS, "cache": False})(function)


def inlined(function):
    """A piece of a kernel, too large for the compiler to inline unasked."""
    return njit(inline="always", **{**OPTIONS, "cache": False})(function)


def inlined_late(function):
    """The same for a piece that stands in several places: typed once, it costs less time to compile."""
    return njit(forceinline=True, **{**OPTIONS, "cache": False})(function)


_plain = bool(config.DISABLE_JIT)
_FLAGS = ("contract", "nsz")  # fused multiply-add allowed; no reassociation: results are reproducible
_F64, _I32, _I64 = ir.DoubleType(), ir.IntType(32), ir.IntType(64)
_VEC = ir.VectorType(_F64, LANES)
_INDEX = ir.VectorType(_I32, LANES)


class VectorType(types.Type):
    """Numba's name for a vector of LANES doubles."""

    def __init__(self) -> None:
        super().__init__(name=f"f64x{LANES}")


vector = VectorType()
quadruple = types.UniTuple(vector, GATES_PER_CHUNK)


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _VEC)


def _mask(indices):
    return ir.Constant(ir.VectorType(_I32, len(indices)), list(indices))


def _broadcast(builder, x, n=LANES):
    nothing = ir.Constant(ir.VectorType(x.type, n), ir.Undefined)
    one = builder.insert_element(nothing, x, ir.Constant(_I32, 0))
    return builder.shuffle_vector(one, nothing, _mask([0] * n))


def _pointer(context, builder, array_type, array, index, target):
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), target.as_pointer())


def _define_operator(op, instruction):
    @infer_global(op)
    class _Template(AbstractTemplate):
        def generic(self, args, kws):
            known = all(isinstance(a, VectorType | types.Float) for a in args)
            if len(args) == 2 and known and any(isinstance(a, VectorType) for a in args):
                return signature(vector, *args)
            return None

    def lower(left_is_scalar, right_is_scalar):
        def code(context, builder, sig, args):
            x = _broadcast(builder, args[0]) if left_is_scalar else args[0]
            y = _broadcast(builder, args[1]) if right_is_scalar else args[1]
            return getattr(builder, instruction)(x, y, flags=_FLAGS)

        return code

    lower_builtin(op, vector, vector)(lower(False, False))
    lower_builtin(op, vector, types.float64)(lower(False, True))
    lower_builtin(op, types.float64, vector)(lower(True, False))


for _op, _name in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _define_operator(_op, _name)


@intrinsic
def _load(typing_context, array, start):
    def code(context, builder, sig, args):
        return builder.load(_pointer(context, builder, sig.args[0], args[0], args[1], _VEC), align=8)

    return vector(array, types.intp), code


@intrinsic
def _store(typing_context, array, start, value):
    def code(context, builder, sig, args):
        builder.store(args[2], _pointer(context, builder, sig.args[0], args[0], args[1], _VEC), align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), code


@intrinsic
def _look(typing_context, array, index):
    def code(context, builder, sig, args):
        llvm_type = context.get_data_type(sig.return_type)
        return builder.load(_pointer(context, builder, sig.args[0], args[0], args[1], llvm_type))

    return array.dtype(array, types.intp), code


@intrinsic
def _splat(typing_context, x):
    def code(context, builder, sig, args):
        return _broadcast(builder, args[0])

    return vector(types.float64), code


def _turning(by):
    """The function that turns a vector: lane j of its answer is lane j - by, round the end."""

    @intrinsic
    def turn(typing_context, x):
        def code(context, builder, sig, args):
            lanes = [(lane - by) % LANES for lane in range(LANES)]
            return builder.shuffle_vector(args[0], ir.Constant(_VEC, ir.Undefined), _mask(lanes))

        return vector(vector), code

    def turn_plain(x):
        return np.roll(x, by)

    return turn_plain if _plain else turn


def _bits(builder, mask):
    """A comparison's lanes as the bits of a number."""
    return builder.zext(builder.bitcast(mask, ir.IntType(LANES)), _I64)


@intrinsic
def _outside(typing_context, x, low, high):
    def code(context, builder, sig, args):
        x, low, high = args
        below = builder.fcmp_unordered("<", x, _broadcast(builder, low))
        return _bits(builder, builder.or_(below, builder.fcmp_unordered(">=", x, _broadcast(builder, high))))

    return types.int64(vector, types.float64, types.float64), code


@intrinsic
def _rises(typing_context, before, after, threshold):
    def code(context, builder, sig, args):
        before, after, threshold = args
        level = _broadcast(builder, threshold)
        under = builder.fcmp_ordered("<", before, level)
        return _bits(builder, builder.and_(under, builder.fcmp_ordered(">=", after, level)))

    return types.int64(vector, vector, types.float64), code


@intrinsic
def _locate(typing_context, s, cells, cell, fraction, start):
    def code(context, builder, sig, args):
        s, cells, cell, fraction, start = args
        whole = builder.fptosi(s, _INDEX)
        begins = builder.mul(whole, ir.Constant(_INDEX, [TABLE_WIDTH] * LANES))
        rest = builder.fsub(s, builder.sitofp(whole, _VEC))
        builder.store(begins, _pointer(context, builder, sig.args[2], cell, start, _INDEX), align=4)
        builder.store(rest, _pointer(context, builder, sig.args[3], fraction, start, _VEC), align=8)
        # Without a sign, what is below the first cell is beyond the last: one comparison for both.
        one = ir.Constant(_INDEX, [1] * LANES)
        last = _broadcast(builder, builder.sub(builder.trunc(cells, _I32), ir.Constant(_I32, 1)))
        return _bits(builder, builder.icmp_unsigned(">=", builder.sub(whole, one), last))

    return types.int64(vector, types.int64, cell, fraction, types.intp), code


def _transposed(builder, parts):
    """Eight compartments' four gates each, as four vectors over the eight lanes."""
    wide = [
        builder.shuffle_vector(parts[lane], parts[lane + 4], _mask(range(8))) for lane in range(4)
    ]  # two compartments in each: lane and lane + 4
    pair = [
        [
            builder.shuffle_vector(wide[k], wide[k + 1], _mask(mask))
            for mask in ((0, 8, 2, 10, 4, 12, 6, 14), (1, 9, 3, 11, 5, 13, 7, 15))
        ]
        for k in (0, 2)
    ]
    low, high = (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)
    return [
        builder.shuffle_vector(pair[0][gate % 2], pair[1][gate % 2], _mask(high if gate > 1 else low))
        for gate in range(4)
    ]


@intrinsic
def _store_past(typing_context, array, start, value):
    def code(context, builder, sig, args):
        place = _pointer(context, builder, sig.args[0], args[0], args[1], _VEC)
        stored = builder.store(args[2], place, align=8 * LANES)
        stored.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(_I32, 1)]))
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), code


@intrinsic
def _askew(typing_context, array, start):
    def code(context, builder, sig, args):
        place = builder.ptrtoint(_pointer(context, builder, sig.args[0], *args, _F64), _I64)
        return builder.urem(builder.udiv(place, ir.Constant(_I64, 8)), ir.Constant(_I64, LANES))

    return types.intp(array, types.intp), code


@intrinsic
def _turn_block(typing_context, array, start, row, columns, first):
    def code(context, builder, sig, args):
        def place(which, index, target):
            return _pointer(context, builder, sig.args[which], args[which], index, target)

        rows = [
            builder.load(place(0, builder.add(args[1], ir.Constant(_I64, LANES * row)), _VEC), align=8)
            for row in range(LANES)
        ]
        # Swap the corners of ever larger squares.
        side = 1
        while side < LANES:
            own = [lane if lane & side == 0 else LANES + lane - side for lane in range(LANES)]
            other = [lane + side if lane & side == 0 else LANES + lane for lane in range(LANES)]
            for row in range(LANES):
                if row & side == 0:
                    pair = rows[row], rows[row + side]
                    rows[row] = builder.shuffle_vector(*pair, _mask(own))
                    rows[row + side] = builder.shuffle_vector(*pair, _mask(other))
            side *= 2
        for lane, column in enumerate(rows):
            at = builder.load(place(3, builder.add(args[4], ir.Constant(_I64, lane)), _I64))
            builder.store(column, place(2, at, _VEC), align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, row, columns, types.intp), code


class _Gates:
    """What the code of a step of gates is made of: the table row of a lane, and its four gates."""

    def __init__(self, context, builder, sig, args):
        self.context, self.builder, self.sig = context, builder, sig
        self.gates, self.start, self.table, self.origin, self.entry, self.cell, self.fraction = args[:7]

    def _at(self, which, array, index, target):
        return _pointer(self.context, self.builder, self.sig.args[which], array, index, target)

    def interpolated(self, lane, first):
        """Decay and gain of a lane's four gates, at the voltage that the cell from ``first`` on says."""
        builder, row = self.builder, ir.VectorType(_F64, 8)
        here = ir.Constant(_I64, lane)
        cell = builder.load(self._at(5, self.cell, builder.add(first, here), _I32))
        begins = builder.load(self._at(3, self.origin, builder.add(self.entry, here), _I64))
        at = builder.add(builder.sext(cell, _I64), begins)
        f = builder.load(self._at(6, self.fraction, builder.add(first, here), _F64))
        f = _broadcast(builder, f, 8)
        c0, c1, c2 = (
            builder.load(self._at(2, self.table, builder.add(at, ir.Constant(_I64, o)), row), align=64)
            for o in (0, 8, 16)
        )
        both = self.sum(c0, f, self.sum(c1, f, c2))
        nothing = ir.Constant(row, ir.Undefined)
        return [builder.shuffle_vector(both, nothing, _mask(range(4 * k, 4 * k + 4))) for k in range(2)]

    def sum(self, x, y, z):
        """x + y z"""
        return self.builder.fadd(x, self.builder.fmul(y, z, flags=_FLAGS), flags=_FLAGS)

    def product(self, x, y):
        return self.builder.fmul(x, y, flags=_FLAGS)

    def stepped(self, step):
        """Every lane's gates x <- step(lane, x), as four vectors over lanes."""
        builder, four, parts = self.builder, ir.VectorType(_F64, 4), []
        for lane in range(LANES):
            place = self._at(0, self.gates, builder.add(self.start, ir.Constant(_I64, 4 * lane)), four)
            x = step(lane, builder.load(place, align=8))
            builder.store(x, place, align=8)
            parts.append(x)
        return self.context.make_tuple(builder, quadruple, _transposed(builder, parts))


@intrinsic
def _advance(typing_context, gates, start, table, origin, entry, cell, fraction, first):
    def code(context, builder, sig, args):
        made = _Gates(context, builder, sig, args)

        def step(lane, x):
            a, b = made.interpolated(lane, args[7])
            return made.sum(b, x, a)

        return made.stepped(step)

    intp = types.intp
    return quadruple(gates, intp, table, origin, intp, cell, fraction, intp), code


@intrinsic
def _advance_twice(typing_context, gates, start, table, origin, entry, cell, fraction, first, second):
    def code(context, builder, sig, args):
        made = _Gates(context, builder, sig, args)
        p, q = (ir.Constant(ir.VectorType(_F64, 4), [w] * 4) for w in GAUSS_WEIGHTS)

        def step(lane, x):
            a1, b1 = made.interpolated(lane, args[7])
            a2, b2 = made.interpolated(lane, args[8])
            gain = made.sum(made.product(made.sum(p, q, a2), b1), made.sum(q, p, a1), b2)
            return made.sum(gain, x, made.product(a1, a2))

        return made.stepped(step)

    intp = types.intp
    return quadruple(gates, intp, table, origin, intp, cell, fraction, intp, intp), code


# With the JIT off the same names are these; they also say what the instructions above mean.
def _load_plain(array, start):
    """The vector at ``array[start : start + LANES]``."""
    return array[int(start) : int(start) + LANES].copy()


def _store_plain(array, start, value):
    """Write the vector to ``array[start : start + LANES]``."""
    array[int(start) : int(start) + LANES] = value


def _look_plain(array, index):
    """``array[index]``, for an index that is never negative: none of Python's counting from the end."""
    return array[int(index)]


def _splat_plain(x):
    """The vector with ``x`` in every lane."""
    return np.full(LANES, x)


def _bits_plain(lanes):
    return int(np.dot(lanes, 1 << np.arange(LANES)))


def _outside_plain(x, low, high):
    """The lanes that are not in [low, high), as bits of a number; nan is outside."""
    return _bits_plain(~((x >= low) & (x < high)))


def _rises_plain(before, after, threshold):
    """The lanes that cross ``threshold`` upwards, as bits of a number."""
    return _bits_plain((before < threshold) & (after >= threshold))


def _locate_plain(s, cells, cell, fraction, start):
    """Split ``s`` into cells and fractions, written from ``start`` on.

    ``cell`` (int32) gets where in a table the cell begins, TABLE_WIDTH times its number. Returns the lanes
    whose number is not in 1..cells - 1, as bits of a number.
    """
    with np.errstate(invalid="ignore"):
        whole = s.astype(np.int32)
    cell[int(start) : int(start) + LANES] = whole * TABLE_WIDTH
    fraction[int(start) : int(start) + LANES] = s - whole
    return _bits_plain((whole < 1) | (whole >= cells))


def _askew_plain(array, start):
    """By how many numbers ``array[start]`` lies behind an address that ``store_past`` takes."""
    return (array.__array_interface__["data"][0] // 8 + int(start)) % LANES


def _turn_block_plain(array, start, row, columns, first):
    """Write the columns of LANES rows of LANES numbers, from ``array[start]`` on, into ``row``.

    Column j goes to ``columns[first + j]`` and on.
    """
    block = array[int(start) : int(start) + LANES * LANES].reshape(LANES, LANES)
    for lane, at in enumerate(columns[int(first) : int(first) + LANES]):
        row[at : at + LANES] = block[:, lane]


def _advance_plain(gates, start, table, origin, entry, cell, fraction, first):
    """x <- A(V) x + B(V) for four gates of every lane; returns the four as vectors over lanes."""
    a, b = _interpolated_plain(table, origin, entry, cell, fraction, first)
    return _stepped_plain(gates, start, a, b)


def _advance_twice_plain(gates, start, table, origin, entry, cell, fraction, first, second):
    """Two half-steps in one, at the voltages of the cells from ``first`` and from ``second`` on."""
    p, q = GAUSS_WEIGHTS
    a1, b1 = _interpolated_plain(table, origin, entry, cell, fraction, first)
    a2, b2 = _interpolated_plain(table, origin, entry, cell, fraction, second)
    return _stepped_plain(gates, start, a1 * a2, (p + q * a2) * b1 + (q + p * a1) * b2)


def _interpolated_plain(table, origin, entry, cell, fraction, first):
    entry, lanes = int(entry), slice(int(first), int(first) + LANES)
    offset = origin[entry : entry + LANES] + cell[lanes]
    rows = table[offset[:, None] + np.arange(TABLE_WIDTH)].reshape(LANES, 3, 2, GATES_PER_CHUNK)
    f = fraction[lanes, None]
    return [rows[:, 0, k] + f * (rows[:, 1, k] + f * rows[:, 2, k]) for k in (0, 1)]


def _stepped_plain(gates, start, a, b):
    block = gates[int(start) : int(start) + GATES_PER_CHUNK * LANES].reshape(LANES, GATES_PER_CHUNK)
    block[:] = block * a + b
    return tuple(block.T.copy())


load = _load_plain if _plain else _load
store = _store_plain if _plain else _store
look = _look_plain if _plain else _look
splat = _splat_plain if _plain else _splat
outside = _outside_plain if _plain else _outside
rises = _rises_plain if _plain else _rises
locate = _locate_plain if _plain else _locate
store_past = _store_plain if _plain else _store_past
askew = _askew_plain if _plain else _askew
turn_block = _turn_block_plain if _plain else _turn_block
advance = _advance_plain if _plain else _advance
advance_twice = _advance_twice_plain if _plain else _advance_twice
turned = {by: _turning(by) for by in (-2, -1, 1, 2, LANES // 2)}
