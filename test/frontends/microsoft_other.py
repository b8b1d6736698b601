"""Cases of the operators of com.microsoft around attention."""
import numpy as np
from microsoft_case import Case, Random, SIZES


# What is around attention ------------------------------------------------------------------------------------------------------------------


def rotary_cases():
    def case(what, b=2, s=5, heads=3, size=8, apart=False, columns=None, positions=None, rows=40, message=None, **attributes):
        r = Random("rotary " + what)
        columns = columns or size // 2
        shape, dims = ((b, heads, s, size), "B _ S _") if apart else ((b, s, heads * size), "B S _")
        positions = r.ints(0, rows, b, s).astype(np.int64) if positions is None else np.array(positions, np.int64)
        places = (positions, "B S" if positions.ndim == 2 else "_")
        return Case("RotaryEmbedding", what, [(r.floats(*shape), dims), places, (r.floats(rows, columns),), (r.floats(rows, columns),)], message=message, **attributes)

    for b, s in SIZES:
        for apart in (False, True):
            yield case(f"plain {b} {s} {apart}", b, s, apart=apart)
            yield case(f"interleaved {b} {s} {apart}", b, s, apart=apart, interleaved=1)
            yield case(f"from one number {b} {s} {apart}", b, s, apart=apart, positions=[4])
    yield case("part of a head", columns=2, num_heads=3, rotary_embedding_dim=4)
    yield case("part of a head, interleaved", columns=2, num_heads=3, rotary_embedding_dim=4, interleaved=1)
    yield case("part of a head, heads apart", columns=2, apart=True, num_heads=3, rotary_embedding_dim=4)
    yield case("one pair", heads=1, size=2)
    yield case("scale", scale=2.0, message="scale")
    yield case("ragged", is_packed_batching=1, message="is_packed_batching")


def normalization_cases():
    for b, s in SIZES:
        for width in (1, 7, 64):
            r = Random(f"norm {b} {s} {width}")
            x, skip = (r.floats(b, s, width), "B S _"), (r.floats(b, s, width), "B S _")
            gamma, beta, bias = ((r.floats(width),) for _ in range(3))
            what = f"{b} {s} {width}"
            yield Case("SkipLayerNormalization", what, [x, skip, gamma], ["y0", "", "", "y3"])
            yield Case("SkipLayerNormalization", what + " biases", [x, skip, gamma, beta, bias], epsilon=1e-3)
            yield Case("SkipLayerNormalization", what + " broadcast", [x, (r.floats(s, width), "S _"), gamma, beta], ["y0", "", "", "y3"], epsilon=1e-5)
            yield Case("SkipLayerNormalization", what + " broadcast 3", [x, (r.floats(1, s, width), "_ S _"), gamma, None, bias], epsilon=1e-5)
            yield Case("SkipSimplifiedLayerNormalization", what, [x, skip, gamma], ["y0", "", "", "y3"], epsilon=1e-5)
            yield Case("SkipSimplifiedLayerNormalization", what + " bias", [x, skip, gamma, bias], ["y0", "", "", "y3"])
            yield Case("SkipSimplifiedLayerNormalization", what + " tokens", [(x[0][0], "S _"), (skip[0][0], "S _"), gamma])
            yield Case("SimplifiedLayerNormalization", what, [x, gamma], domain="")
            yield Case("SimplifiedLayerNormalization", what + " axis", [x, gamma], domain="", axis=2, epsilon=1e-2)
    yield Case("LayerNormalization", "before ONNX had it", [x, gamma, beta], domain="", opset=14)
    yield Case("SimplifiedLayerNormalization", "statistics", [x, gamma], 2, domain="", message="inv_std_var")
    yield Case("SkipLayerNormalization", "statistics", [x, skip, gamma], 2, message="mean")


def embedding_cases():
    for b, s in SIZES:
        for width in (1, 9, 32):
            r = Random(f"embed {b} {s} {width}")
            ids, segments = (r.ints(0, 20, b, s), "B S"), (r.ints(0, 2, b, s), "B S")
            words, places, kinds = (r.floats(20, width),), (r.floats(40, width),), (r.floats(2, width),)
            gamma, beta = (r.floats(width),), (r.floats(width),)
            mask, what = (r.keep(b, s), "B S"), f"{b} {s} {width}"
            yield Case("EmbedLayerNormalization", what, [ids, segments, words, places, kinds, gamma, beta, mask], 3)
            yield Case("EmbedLayerNormalization", what + " no segments", [ids, None, words, places, None, gamma, beta], ["y0", "y1"])
            yield Case("EmbedLayerNormalization", what + " positions", [ids, segments, words, places, kinds, gamma, beta, None, (r.ints(0, 40, b, s), "B S")], 3, epsilon=1e-3)
            yield Case("EmbedLayerNormalization", what + " shared positions", [ids, None, words, places, None, gamma, beta, mask, (r.ints(0, 40, 1, s), "_ S")], 3)


def activation_cases():
    for shape, dims in [((2, 5, 7), "B S _"), ((1,), "_"), ((3, 1, 33), "B _ _"), ((4, 64), "B _")]:
        r = Random(f"activation {shape}")
        x, bias, what = (r.floats(*shape, scale=3), dims), (r.floats(shape[-1]),), str(shape)
        yield Case("Gelu", what, [x])
        yield Case("BiasGelu", what, [x, bias])
        yield Case("FastGelu", what, [x])
        yield Case("FastGelu", what + " bias", [x, bias])
        yield Case("QuickGelu", what, [x])
        yield Case("QuickGelu", what + " alpha", [x], alpha=0.5)


def product_cases():
    def case(a, b, da, db, **attributes):
        r = Random(f"product {a} {b} {attributes}")
        return Case("FusedMatMul", f"{a} {b} " + " ".join(f"{k}={v}" for k, v in attributes.items()), [(r.floats(*a), da), (r.floats(*b), db)], **attributes)

    for m, k, n in [(3, 5, 4), (1, 1, 1), (17, 33, 9)]:
        yield case((m, k), (k, n), "M K", "K N", alpha=0.25)
        yield case((k, m), (k, n), "K M", "K N", transA=1)
        yield case((m, k), (n, k), "M K", "N K", transB=1, alpha=-2.0)
        yield case((k, m), (n, k), "K M", "N K", transA=1, transB=1)
        yield case((2, 3, m, k), (2, 3, n, k), "B H M K", "B H N K", transB=1, alpha=0.5)
        yield case((2, m, k), (n, k), "B M K", "N K", transB=1)
        yield case((3, k, m), (2, 1, k, n), "H K M", "B _ K N", transA=1)
        yield case((m, 2, 3, k), (2, 3, k, n), "M B H K", "B H K N", transBatchA=1)
        yield case((k, 2, m), (k, 2, n), "K B M", "K B N", transBatchA=1, transA=1, transBatchB=1)
        yield case((2, m, k), (n, 2, k), "B M K", "N B K", transBatchB=1, transB=1, alpha=3.0)


def gemm_cases():
    for activation in ("Relu", "Tanh", "Sigmoid", "LeakyRelu"):
        r, slope = Random("gemm " + activation), {"activation_alpha": 0.01} if activation == "LeakyRelu" else {}
        yield Case("FusedGemm", activation, [(r.floats(3, 5), "M _"), (r.floats(5, 4),), (r.floats(4),)], activation=activation, alpha=1.0, beta=1.0, **slope)
        yield Case("FusedGemm", activation + " transposed", [(r.floats(5, 3), "_ M"), (r.floats(4, 5),)], activation=activation, transA=1, transB=1, alpha=0.5, beta=1.0, **slope)
    yield Case("FusedGemm", "slope", [(r.floats(3, 5), "M _"), (r.floats(5, 4),)], activation="LeakyRelu", activation_alpha=0.3, alpha=1.0, beta=1.0)
    yield Case("FusedGemm", "other activation", [(r.floats(3, 5), "M _"), (r.floats(5, 4),)], activation="Softsign", alpha=1.0, beta=1.0, message="activation Softsign")
