"""The node tests that are left out, each for one reason."""
import fnmatch

OLD_OPSET = "an operator as it was before opset 13"
OTHER_DOMAIN = "an operator outside of the default domain"
NO_TENSOR = "sequences, maps and optional values as inputs or outputs"
OTHER_TYPE = "an element type that Fovea does not have (strings; 8 bits and less but int8, uint8 and bool)"

# These are tried: a reason for what works is an error.
OPERATORS = {
    "control flow and sequences": """If Loop SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength
        SequenceMap SplitToSequence ConcatFromSequence Optional OptionalGetElement OptionalHasElement""",
    "no operator of attention models: other pools, regions of images": """LpPool GlobalLpPool MaxUnpool MaxRoiPool RoiAlign Upsample GridSample
        AffineGrid ImageDecoder LRN NonMaxSuppression Det""",
    "no operator of attention models: other convolutions": "ConvTranspose DeformConv Col2Im",
    "recurrent layers": "LSTM GRU RNN",
    "quantised arithmetic": """QuantizeLinear DequantizeLinear DynamicQuantizeLinear QLinearConv QLinearMatMul MatMulInteger ConvInteger""",
    "random numbers": "Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike",
    "text": "StringConcat StringNormalizer StringSplit RegexFullMatch TfIdfVectorizer",
    "signals": "DFT STFT HammingWindow HannWindow BlackmanWindow MelWeightMatrix",
    "losses": "SoftmaxCrossEntropyLoss NegativeLogLikelihoodLoss",
    "a result whose size depends on data": "NonZero Unique Compress",
    "bits read as another type": "BitCast",
}
# So are these; `@mode,...` at the end of a pattern: in these modes only.
CASES = {
    "training": "test_batchnorm_*_training_mode test_training_dropout*",
    "a range whose length follows from floats that are computed": "test_*mingwindow*_expanded test_hannwindow*_expanded test_blackmanwindow*_expanded",
    "where a maximum was found": "test_maxpool_with_argmax_*",
    "a size that follows from floats or proportions that are computed":
        "test_resize_*_scales_*@static,dynamic test_resize_*_not_larger@static,dynamic test_resize_*_not_smaller@static,dynamic",
    "regions and filters of images": "test_resize_tf_crop_and_resize* test_resize_*_antialias",
    "what the code is depends on a size that is symbolic here": "test_conv_with_autopad_same@dynamic test_*pool_2d_*same_*@dynamic",
}

_BY_OPERATOR = {operator: reason for reason, operators in OPERATORS.items() for operator in operators.split()}


def reason(operators, case, mode):
    """Why a case of these operators is left out in a mode; empty if it is not."""
    for why, patterns in CASES.items():
        if any(fnmatch.fnmatch(case, pattern.partition("@")[0]) and mode in (pattern.partition("@")[2] or mode) for pattern in patterns.split()):
            return why
    return next((_BY_OPERATOR[operator] for operator in operators if operator in _BY_OPERATOR), "")


def is_tried(why, mode):
    """Whether it is checked that the reason is still one; for operators in one mode."""
    return why in CASES or (why in OPERATORS and mode == "static")
