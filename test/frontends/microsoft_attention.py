"""Cases of the attention operators of com.microsoft."""
import numpy as np
from microsoft_case import Case, Random, SIZES


# Attention ---------------------------------------------------------------------------------------------------------------------------------


def attention(what, b=2, s=5, heads=2, size=8, vsize=None, width=12, bias="random", mask=None, past=None, added=None, present=False, **attributes):
    r = Random("attention " + what)
    vsize = vsize or size
    total = heads * (2 * size + vsize)
    t = s + (past or 0)
    inputs = [(r.floats(b, s, width), "B S _"), (r.floats(width, total, scale=0.3),)]
    inputs.append({"random": (r.floats(total),), "zero": (np.zeros(total, np.float32),), "none": None}[bias])
    inputs.append(mask(r, b, s, t, past is None) if mask else None)
    inputs.append(None if past is None else (r.floats(2, b, heads, past, size), "_ B _ P _"))
    if added:
        shape = [1 if one else n for one, n in zip(added, (b, heads, s, t))]
        inputs.append((r.floats(*shape), " ".join("_" if one else n for one, n in zip(added, ["B", "_", "S", "S"]))))
    if vsize != size:
        attributes["qkv_hidden_sizes"] = [heads * size, heads * size, heads * vsize]
    return Case("Attention", what, inputs, 2 if present or past is not None else 1, num_heads=heads, **attributes)


def keys(r, b, s, t, alone):
    return r.keep(b, t), "B S" if alone else "B _"


def pairs(r, b, s, t, alone):
    return r.keep(b, s, t), "B S S" if alone else "B S _"


def square(r, b, s, t, alone):
    """What `pairs` makes, in the last rows of a larger square."""
    mask = np.zeros((b, 1, t + 3, t + 3), np.int32)
    mask[:, 0, t - s : t, :t] = pairs(r, b, s, t, alone)[0]
    return mask, "B _ M M"


def lengths(r, b, s, t, alone):
    return r.ints(0, t + 1, b), "B"


def ends_and_starts(r, b, s, t, alone):
    return np.concatenate([r.ints(1, t + 1, b), r.ints(0, 2, b)]), "_"


def three_times(r, b, s, t, alone):
    """Lengths, then cumulative lengths of queries and keys, which are not used."""
    return np.concatenate([r.ints(1, t + 1, b), np.zeros(2 * b + 2, np.int32)]), "_"


def nothing(r, b, s, t, alone):
    return np.zeros((b, t), np.int32), "B S" if alone else "B _"


def one_column(r, b, s, t, alone):
    return r.keep(b, 1), "B _"


def attention_cases():
    case = attention
    for b, s in SIZES:
        yield case(f"plain {b} {s}", b, s)
        yield case(f"key mask {b} {s}", b, s, mask=keys)
        yield case(f"unidirectional {b} {s}", b, s, unidirectional=1)
        yield case(f"lengths {b} {s}", b, s, mask=lengths, hidden=True)
    yield case("no bias", bias="none", expected=case("no bias", bias="zero").reference)
    yield case("scale", scale=0.7)
    yield case("odd head", heads=3, size=5, width=7)
    yield case("one head", heads=1, size=1, width=1)
    yield case("other width of values", vsize=4)
    yield case("all hidden", mask=nothing, hidden=True)
    yield case("all hidden, unidirectional", mask=nothing, hidden=True, unidirectional=1)
    yield case("mask of pairs", mask=pairs)
    yield case("mask of pairs, unidirectional", mask=pairs, unidirectional=1)
    yield case("square mask", mask=square, expected=case("square mask", mask=pairs).reference)
    yield case("square mask, past", s=2, past=3, mask=square, expected=case("square mask, past", s=2, past=3, mask=pairs).reference)
    yield case("ends and starts", b=3, mask=ends_and_starts, fixed="B", hidden=True)
    yield case("ends and starts, unidirectional", b=3, mask=ends_and_starts, fixed="B", hidden=True, unidirectional=1)
    yield case("lengths, unidirectional", b=3, mask=lengths, hidden=True, unidirectional=1)
    yield case("lengths and bias", b=3, mask=lengths, hidden=True, added=(0, 0, 0, 0))
    yield case("mild filter", mask=keys, mask_filter_value=-2.0)
    yield case("mild filter of lengths", mask=lengths, mask_filter_value=-2.0)
    yield case("one column", mask=one_column)
    for added in [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (1, 1, 0, 0)]:
        yield case(f"bias {added}", added=added)
    yield case("bias and mask", added=(1, 0, 0, 0), mask=keys, unidirectional=1)
    yield case("present", present=True)
    for b, s, p in [(2, 1, 6), (1, 3, 4), (2, 4, 1)]:
        yield case(f"past {b} {s} {p}", b, s, past=p)
        yield case(f"past, unidirectional {b} {s} {p}", b, s, past=p, unidirectional=1)
        yield case(f"past, mask {b} {s} {p}", b, s, past=p, mask=keys, unidirectional=1)
    yield case("empty past", past=0)
    yield case("rotary", message="do_rotary", do_rotary=1)
    yield case("shared buffer", past=3, message="past_present_share_buffer", past_present_share_buffer=1)


def heads_apart(packed, heads):
    b, s, w = packed.shape
    return np.ascontiguousarray(packed.reshape(b, s, heads, w // heads).transpose(0, 2, 1, 3))


def multi_head(what, b=2, s=5, l=None, heads=2, size=8, vsize=None, form="three", bias=False, mask=None, added=None, past=None, buffer=None, extra=(), outputs=1, **attributes):
    """`form`: how query, key and value come; `buffer`: the length of the cache, with `past` keys in it."""
    r = Random("mha " + what)
    vsize, l = vsize or size, l or s
    t, width, vwidth = l + (past or 0), heads * size, heads * (vsize or size)
    q, k, v = r.floats(b, s, width), r.floats(b, l, width), r.floats(b, l, vwidth)
    other = "S" if l == s else "L"
    total = "T" if past is not None or buffer else other
    if form == "three":
        inputs = [(q, "B S _"), (k, f"B {other} _"), (v, f"B {other} _")]
    elif form == "apart":
        inputs = [(q, "B S _"), (heads_apart(k, heads), f"B _ {other} _"), (heads_apart(v, heads), f"B _ {other} _")]
    elif form == "packed":
        inputs = [(np.stack([x.reshape(b, s, heads, size) for x in (q, k, v)], 3), "B S _ _ _"), None, None]
    elif form == "packed pair":
        inputs = [(q, "B S _"), (np.stack([x.reshape(b, l, heads, size) for x in (k, v)], 3), f"B {other} _ _ _"), None]
    inputs.append((r.floats(2 * width + vwidth),) if bias else None)
    inputs.append(None if mask is None else (lambda m: (m[0], m[1] if m[1] in ("B", "_") else ("B S T" if m[0].ndim == 3 else "B T").replace("T", total)))(mask(r, b, s, t, True)))
    if added:
        shape = [1 if one else n for one, n in zip(added, (b, heads, s, t))]
        inputs.append((r.floats(*shape), " ".join("_" if one else n for one, n in zip(added, ["B", "_", "S", total]))))
    else:
        inputs.append(None)
    if past is not None:
        inputs += [(r.floats(b, heads, buffer or past, size), "B _ P _"), (r.floats(b, heads, buffer or past, vsize), "B _ P _")]
        if buffer:
            inputs.append((np.array([past], np.int32), "_"))
    inputs += extra
    return Case("MultiHeadAttention", what, inputs, outputs, num_heads=heads, **attributes)


def multi_head_cases():
    case = multi_head
    for b, s in SIZES:
        yield case(f"plain {b} {s}", b, s)
        yield case(f"bias {b} {s}", b, s, bias=True)
        yield case(f"key mask {b} {s}", b, s, mask=keys)
        yield case(f"unidirectional {b} {s}", b, s, unidirectional=1)
    for s, l in [(1, 7), (6, 3), (3, 40)]:
        yield case(f"cross {s} {l}", s=s, l=l, bias=True)
        yield case(f"cross, mask {s} {l}", s=s, l=l, mask=keys)
        yield case(f"cross, lengths {s} {l}", s=s, l=l, mask=lengths, hidden=True)
        yield case(f"heads apart {s} {l}", s=s, l=l, form="apart")
    yield case("one query, unidirectional", s=1, l=4, unidirectional=1)
    yield case("cross, unidirectional", s=3, l=4, unidirectional=1)
    yield case("cross, unidirectional, more queries", s=4, l=3, unidirectional=1)
    yield case("scale", scale=0.3)
    yield case("odd head", heads=3, size=5, bias=True)
    yield case("other size of values", vsize=4, bias=True)
    yield case("three times", b=3, mask=three_times, fixed="B", hidden=True)
    yield case("mask of pairs", mask=pairs)
    yield case("mask of pairs, unidirectional", mask=pairs, unidirectional=1)
    yield case("all hidden", mask=nothing, hidden=True)
    yield case("mild filter", mask=lengths, mask_filter_value=-3.0)
    for added in [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (1, 1, 0, 0)]:
        yield case(f"attention bias {added}", added=added)
    yield case("attention bias and mask", added=(1, 0, 0, 0), mask=keys, unidirectional=1)
    yield case("packed", form="packed", expected=case("packed").reference)
    yield case("packed pair", s=3, l=6, form="packed pair", expected=case("packed pair", s=3, l=6).reference)
    yield case("present", outputs=3)
    for b, s, p in [(2, 1, 6), (1, 3, 4), (2, 4, 1)]:
        yield case(f"past {b} {s} {p}", b, s, past=p, outputs=3)
        yield case(f"past, unidirectional {b} {s} {p}", b, s, past=p, outputs=3, unidirectional=1, bias=True)
        yield case(f"past, mask {b} {s} {p}", b, s, past=p, outputs=3, mask=keys)
    for s, p, buffer in [(1, 3, 8), (1, 0, 4), (1, 7, 8)]:
        what = f"{p} of {buffer}"
        yield case(f"buffer {what}", s=s, past=p, buffer=buffer, outputs=3)
        yield case(f"buffer, mask and bias {what}", s=s, past=p, buffer=buffer, outputs=3, mask=keys, bias=True, added=(0, 0, 0, 0))
    yield case("empty past", past=0, outputs=3)
    yield case("scores", outputs=["y0", "", "", "y3"], message="qk")
    yield case("beams", past=3, s=1, buffer=8, extra=[(np.zeros((2, 1, 8), np.int32), "_ _ _")], outputs=3, message="cache_indirection")


def decoder_cases():
    def case(what, b=2, heads=2, size=8, past=3, buffer=8, bias=False, mask=False, added=False, cross=None, beams=None, packed=False, outputs=3, **attributes):
        r = Random("decoder " + what)
        width, t = heads * size, cross or past + 1
        inputs = [(r.floats(b, 1, width), "B _ _")]
        if cross:
            inputs += [(r.floats(b, heads, cross, size), "B _ L _") for _ in range(2)]
        else:
            inputs += [(r.floats(b, 1, width), "B _ _") for _ in range(2)]
        if packed:
            inputs = [(np.concatenate([i[0] for i in inputs], 2), "B _ _"), None, None]
        inputs.append((r.keep(b, t), "B T" if not cross else "B L") if mask else None)
        inputs.append((r.floats(1, heads, 1, t), "_ _ _ T") if added else None)
        if cross:
            inputs += [None, None, None]
        else:
            inputs += [(r.floats(b, heads, buffer, size), "B _ M _") for _ in range(2)] + [(np.array([past], np.int32), "_")]
            attributes["past_present_share_buffer"] = 1
        inputs += [None if beams is None else (np.array([beams], np.int32),), None]
        inputs.append((r.floats(3 * width),) if bias else None)
        return Case("DecoderMaskedMultiHeadAttention", what, inputs, outputs, num_heads=heads, **attributes)

    yield case("plain")
    for past in (0, 1, 7):
        yield case(f"past {past}", past=past)
    yield case("odd", b=3, heads=3, size=5, buffer=17, past=11)
    yield case("bias", bias=True)
    yield case("mask", mask=True)
    yield case("attention bias", added=True)
    yield case("all of it", bias=True, mask=True, added=True, scale=0.4)
    yield case("one beam", beams=1)
    yield case("packed", packed=True, bias=True, expected=case("packed", bias=True).reference)
    yield case("beams", beams=4, message="beam_width")
    yield case("cross", cross=6, outputs=1)
    yield case("cross, bias and mask", cross=6, outputs=1, bias=True, mask=True)
    yield case("scores", output_qk=1, message="output_qk")


def group_query(what, b=2, s=5, heads=4, groups=2, size=16, past=None, buffer=None, seqlens=None, total=None, packed=False, rotary=None, positions=None, added=None, sink=False,
                outputs=3, expected=None, **attributes):
    """`past`: the length of the past tensors; `buffer`: that of a longer buffer which holds them."""
    r = Random("gqa " + what)
    past_length = past or 0
    total = total or s + past_length
    seqlens = np.array(seqlens if seqlens is not None else [total - 1] * b, np.int32)
    if packed:
        inputs = [(r.floats(b, s, (heads + 2 * groups) * size), "B S _"), None, None]
    else:
        inputs = [(r.floats(b, s, heads * size), "B S _")] + [(r.floats(b, s, groups * size), "B S _") for _ in range(2)]
    if past is not None:
        inputs += [(r.floats(b, groups, buffer or past, size), "B _ P _") for _ in range(2)]
    else:
        inputs += [None, None]
    inputs += [(seqlens, "B"), (np.array(total, np.int32), "")]
    if rotary:
        angles = np.arange(40)[:, None] * 10000.0 ** (-np.arange(rotary)[None, :] / rotary)
        inputs += [(np.cos(angles).astype(np.float32),), (np.sin(angles).astype(np.float32),)]
        attributes["do_rotary"] = 1
    else:
        inputs += [None, None]
    inputs.append(None if positions is None else (np.array(positions, np.int64), "B S"))
    inputs.append((r.floats(*[1 if one else n for one, n in zip(added, (b, heads, s, total))]), " ".join("_" if one else n for one, n in zip(added, ["B", "_", "S", "T"]))) if added else None)
    inputs.append((r.floats(heads),) if sink else None)
    # Queries behind the length of their row of the batch are padding, and give anything.
    real = seqlens[:, None] + 1 > (total - s if s < total else 0) + np.arange(s)[None, :] if s == total else np.ones((b, s), bool)
    return Case("GroupQueryAttention", what, inputs, outputs, cares=lambda n, y: real[:, :, None] if n == 0 else True, num_heads=heads, kv_num_heads=groups, **attributes)


def group_query_cases():
    case = group_query
    for b, s in SIZES:
        yield case(f"prompt {b} {s}", b, s)
        yield case(f"prompt, rotary {b} {s}", b, s, rotary=8)
        yield case(f"prompt, packed, rotary {b} {s}", b, s, packed=True, rotary=8)
    yield case("prompt, padded", seqlens=[2, 4])
    yield case("prompt, padded, rotary", seqlens=[1, 4], rotary=8)
    yield case("one head", heads=1, groups=1)
    yield case("many groups", heads=6, groups=6, size=8)
    yield case("one group", heads=6, groups=1, size=8)
    yield case("scale", scale=0.4)
    yield case("interleaved", rotary=8, rotary_interleaved=1)
    yield case("part is rotated", size=32, rotary=8)
    yield case("bidirectional", causal=0)
    yield case("bidirectional, padded", causal=0, seqlens=[2, 4])
    yield case("empty past", past=0, rotary=8)
    for buffer in (None, 12):
        what = f"buffer {buffer}"
        yield case(f"one new, {what}", s=1, past=6, buffer=buffer)
        yield case(f"one new, rotary, {what}", s=1, past=6, buffer=buffer, rotary=8)
        yield case(f"one new, ragged, {what}", b=3, s=1, past=6, buffer=buffer, seqlens=[6, 2, 4], rotary=8)
        yield case(f"some new, {what}", b=1, s=3, past=4, buffer=buffer, rotary=8)
        yield case(f"some new, packed, {what}", b=1, s=3, past=4, buffer=buffer, packed=True, rotary=8, rotary_interleaved=1)
        yield case(f"some new, bidirectional, {what}", b=1, s=3, past=4, buffer=buffer, causal=0)
        yield case(f"window, some new, {what}", b=1, s=3, past=6, buffer=buffer, local_window_size=4)
        yield case(f"window, one new, ragged, {what}", s=1, past=6, buffer=buffer, seqlens=[6, 3], local_window_size=3)
        yield case(f"sink, ragged, {what}", s=1, past=6, buffer=buffer, seqlens=[6, 3], sink=True)
        yield case(f"sink, window, some new, {what}", b=1, s=3, past=6, buffer=buffer, local_window_size=4, sink=True)
        yield case(f"bias, one new, {what}", s=1, past=6, buffer=buffer, added=(1, 0, 0, 0), seqlens=[6, 3])
        yield case(f"prompt in a buffer, {what}", past=0, buffer=buffer, rotary=8, seqlens=[3, 4])
    for window in (1, 2, 4, 64):
        yield case(f"window {window}", s=9, local_window_size=window)
    yield case("window, padded", s=9, local_window_size=3, seqlens=[4, 8])
    yield case("softcap", softcap=1.5)
    yield case("softcap, bias", softcap=1.5, added=(0, 0, 0, 0))
    yield case("no softcap", softcap=-1.0)
    for added in [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (1, 1, 0, 0)]:
        yield case(f"bias {added}", added=added)
    yield case("smooth", smooth_softmax=1)
    yield case("smooth, window, softcap", s=9, smooth_softmax=1, local_window_size=3, softcap=2.0)
    yield case("sink", sink=True)
    yield case("sink, padded", sink=True, seqlens=[2, 4])
    yield case("sink, bias", sink=True, added=(1, 0, 0, 0))
    yield case("sink, bidirectional", sink=True, causal=0)
    yield case("positions of a prompt", rotary=8, positions=np.arange(10).reshape(2, 5) + 3)
    yield case("positions", s=1, past=6, rotary=8, positions=[[4], [9]])
    yield case("positions, some new", b=1, s=3, past=4, rotary=8, positions=[[2, 9, 5]])
    yield case("output alone", outputs=1)
    yield case("scores", qk_output=1, outputs=4, message="qk_output")
    yield case("quantised", k_quant_type="PER_TENSOR", message="k_quant_type")
    yield case("sliding cache", s=1, past=4, sliding_window_cache=1, local_window_size=4, message="sliding_window_cache")
    yield case("empty window", local_window_size=0, message="local_window_size")


def pack(array, lengths):
    return np.concatenate([row[:n] for row, n in zip(array, lengths)])


def offsets(lengths, s):
    """Places of the tokens, then of the padding, and the sums of the lengths."""
    real = [b * s + i for b, n in enumerate(lengths) for i in range(n)]
    padding = [b * s + i for b, n in enumerate(lengths) for i in range(n, s)]
    return np.array(real + padding, np.int32).reshape(len(lengths), s), np.cumsum([0] + list(lengths)).astype(np.int32)


def packed_cases():
    """Against the operators without packing, which ONNX Runtime's CPU has."""
    for what, lengths, s, heads, size, extra in [("three", [1, 2, 4], 4, 2, 8, {}), ("one", [5], 5, 3, 4, {}), ("full", [3, 3], 3, 1, 16, {}), ("scaled", [7, 33, 1, 20], 33, 2, 8, dict(scale=0.2)),
                                                 ("bias", [2, 5], 5, 2, 8, dict(bias=True)), ("a bias for all", [2, 5], 5, 2, 8, dict(bias=True, one=True))]:
        r = Random("packed " + what)
        b, width = len(lengths), heads * size
        attributes = dict(num_heads=heads, **({"scale": extra["scale"]} if "scale" in extra else {}))
        token_offset, sums = offsets(lengths, s)
        where = [(token_offset, "B S"), (sums, "_")]
        added = [(r.floats(1 if "one" in extra else b, heads, s, s), "_ _ S S")] if "bias" in extra else []
        x, q, k, v = (r.floats(b, s, width) for _ in range(4))
        weights, bias = r.floats(width, 3 * width, scale=0.3), r.floats(3 * width)
        mask = (np.array(lengths, np.int32), "B")

        def expected(case, lengths=lengths):
            return lambda: [pack(case.reference()[0], lengths)]

        whole = Case("Attention", what, [(x, "B S _"), (weights,), (bias,), mask, None] + added, **attributes)
        yield Case("PackedAttention", what, [(pack(x, lengths), "N _"), (weights,), (bias,)] + where + added, expected=expected(whole), **attributes)
        whole = Case("MultiHeadAttention", what, [(q, "B S _"), (k, "B S _"), (v, "B S _"), (bias,), mask] + added, **attributes)
        three = [(pack(p, lengths), "N _") for p in (q, k, v)]
        yield Case("PackedMultiHeadAttention", what, three + [(bias,)] + where + added, expected=expected(whole), **attributes)
        whole = Case("MultiHeadAttention", what, [(q, "B S _"), (k, "B S _"), (v, "B S _"), None, mask] + added, **attributes)
        together = np.stack([pack(p, lengths).reshape(-1, heads, size) for p in (q, k, v)], 2)
        yield Case("PackedMultiHeadAttention", what + " together", [(together, "N _ _ _"), None, None, None] + where + added, expected=expected(whole), **attributes)
