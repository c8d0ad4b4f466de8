"""Functions of vectors: exponential and logarithm to the last digits, choices, and columns turned to rows.

With the JIT off they are NumPy's; see ``simd``.
"""

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic

from axon.engine.simd import LANES, inlined, splat, vector

_plain = bool(config.DISABLE_JIT)
_F64, _I64 = ir.DoubleType(), ir.IntType(64)
_VEC, _LONG = ir.VectorType(_F64, LANES), ir.VectorType(_I64, LANES)
_octuple = types.UniTuple(vector, LANES)

# ln 2 in two parts, the first with so few digits that whole multiples of it are exact.
_HIGH, _LOW = 0.693147182464599609375, -1.904654299957767878541823e-9
_PER_LN2 = 1.0 / math.log(2.0)
_LEAST, _MOST = -708.0, 709.4  # between which exp is an ordinary number
_SQRT2 = math.sqrt(2.0)
# (exp(r) - 1 - r) / r^2, and (log((1 + s) / (1 - s)) / s - 2) / s^2 as a series in s^2, highest power first;
# for |r| < 0.35 and |s| < 0.172 what is left out is less than a rounding error.
_EXP = tuple(1.0 / math.factorial(n) for n in range(14, 1, -1))
_LOG = tuple(2.0 / (2 * n + 1) for n in range(10, 0, -1))
_E0, _E1, _E2, _E3, _E4, _E5, _E6, _E7, _E8, _E9, _E10, _E11, _E12 = _EXP
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7, _L8, _L9 = _LOG


def _number(x):
    return ir.Constant(_VEC, [float(x)] * LANES)


def _whole(n):
    return ir.Constant(_LONG, [n] * LANES)


def _mask(lanes):
    return ir.Constant(ir.VectorType(ir.IntType(32), LANES), list(lanes))


def _unary(code):
    """An intrinsic from one vector to another."""

    @intrinsic
    def function(typing_context, x):
        return vector(vector), lambda context, builder, sig, args: code(builder, args[0])

    return function


def _called(name):
    """LLVM's own function of that name."""

    def code(builder, x):
        kind = ir.FunctionType(_VEC, [_VEC])
        return builder.call(get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f64"), [x])

    return _unary(code)


def _power_of_two(builder, k):
    exponent = builder.add(builder.fptosi(k, _LONG), _whole(1023))
    return builder.bitcast(builder.shl(exponent, _whole(52)), _VEC)


def _exponent(builder, x):
    bits = builder.lshr(builder.bitcast(x, _LONG), _whole(52))
    return builder.sitofp(builder.sub(bits, _whole(1023)), _VEC)


def _mantissa(builder, x):
    bits = builder.and_(builder.bitcast(x, _LONG), _whole((1 << 52) - 1))
    return builder.bitcast(builder.or_(bits, _whole(1023 << 52)), _VEC)


@intrinsic
def _less(typing_context, x, y):
    def code(context, builder, sig, args):
        return builder.select(builder.fcmp_ordered("<", *args), _number(1.0), _number(0.0))

    return vector(vector, vector), code


@intrinsic
def _choose(typing_context, which, x, y):
    def code(context, builder, sig, args):
        return builder.select(builder.fcmp_unordered("!=", args[0], _number(0.0)), args[1], args[2])

    return vector(vector, vector, vector), code


def _found(relation):
    """An intrinsic that says whether any lane of a vector stands so to 0; nan always does."""

    @intrinsic
    def function(typing_context, x):
        def code(context, builder, sig, args):
            found = builder.fcmp_unordered(relation, args[0], _number(0.0))
            bits = ir.IntType(LANES)
            return builder.icmp_unsigned("!=", builder.bitcast(found, bits), ir.Constant(bits, 0))

        return types.boolean(vector), code

    return function


@intrinsic
def _transposed(typing_context, a, b, c, d, e, f, g, h):
    def code(context, builder, sig, args):
        rows, lanes = list(args), range(LANES)
        for s in (4, 2, 1):
            low = _mask(i + LANES - s if i & s else i for i in lanes)
            high = _mask(i + LANES if i & s else i + s for i in lanes)
            for i in (i for i in lanes if not i & s):
                pair = rows[i], rows[i + s]
                rows[i], rows[i + s] = (builder.shuffle_vector(*pair, mask) for mask in (low, high))
        return context.make_tuple(builder, _octuple, rows)

    return _octuple(*[vector] * LANES), code


_any, _not_positive = _found("!="), _found("<=")
_rounded, _root, _whole_part = _called("rint"), _called("sqrt"), _called("trunc")
_power, _exponent_of, _mantissa_of = _unary(_power_of_two), _unary(_exponent), _unary(_mantissa)


@inlined
def _parts(x):
    """2^k and exp(r) - 1, which make exp(x): x = k ln 2 + r; nan stays."""
    x = _choose(_less(x, splat(_LEAST)), splat(_LEAST), x)
    x = _choose(_less(splat(_MOST), x), splat(_MOST), x)
    k = _rounded(x * _PER_LN2)
    r = (x - k * _HIGH) - k * _LOW
    p = r * _E0 + _E1
    p = r * p + _E2
    p = r * p + _E3
    p = r * p + _E4
    p = r * p + _E5
    p = r * p + _E6
    p = r * p + _E7
    p = r * p + _E8
    p = r * p + _E9
    p = r * p + _E10
    p = r * p + _E11
    p = r * p + _E12
    return _power(k), r + (r * r) * p


@inlined
def _exp(x):
    size, more = _parts(x)
    return size * more + size


@inlined
def _expm1(x):
    size, more = _parts(x)
    return size * more + (size - 1.0)


@inlined
def _log(x):
    k, m = _exponent_of(x), _mantissa_of(x)
    large = _less(splat(_SQRT2), m)
    m = _choose(large, m * 0.5, m)
    k = k + large
    f = m - 1.0
    s = f / (f + 2.0)
    z = s * s
    q = z * _L0 + _L1
    q = z * q + _L2
    q = z * q + _L3
    q = z * q + _L4
    q = z * q + _L5
    q = z * q + _L6
    q = z * q + _L7
    q = z * q + _L8
    q = z * q + _L9
    y = k * _HIGH + ((2.0 * s + s * (z * q)) + k * _LOW)
    other = _choose(_less(x, splat(0.0)), splat(np.nan), x - np.inf)
    return _choose(_less(splat(0.0), x), y, other)


# With the JIT off the same names are these; they also say what the instructions above mean.
def _less_plain(x, y):
    """1 where x < y, else 0."""
    return np.where(x < y, 1.0, 0.0)


def _choose_plain(which, x, y):
    """``x`` where ``which`` is not 0, else ``y``."""
    return np.where(which != 0.0, x, y)


def _any_plain(which):
    """Whether any lane is not 0."""
    return bool(np.any(which != 0.0))


def _not_positive_plain(x):
    """Whether any lane is not > 0; nan is not."""
    return not bool(np.all(x > 0.0))


def _transposed_plain(*rows):
    """Of LANES vectors the first lanes as one vector, the second ones, and so on."""
    return tuple(np.array(rows).T.copy())


def _quiet(function):
    def quietly(x):
        with np.errstate(all="ignore"):
            return function(x)

    return quietly


exp = _quiet(np.exp) if _plain else _exp
expm1 = _quiet(np.expm1) if _plain else _expm1
log = _quiet(np.log) if _plain else _log
root = _quiet(np.sqrt) if _plain else _root
whole_part = np.trunc if _plain else _whole_part
less = _less_plain if _plain else _less
any_lane = _any_plain if _plain else _any
not_positive = _not_positive_plain if _plain else _not_positive
choose = _choose_plain if _plain else _choose
transposed = _transposed_plain if _plain else _transposed
