"""Known weights files: network, checksum, license and credit of each."""

from dataclasses import dataclass

CC_BY = "CC BY (credit Simonyan & Zisserman, link, indicate changes)"
VGG_CREDIT = "K. Simonyan and A. Zisserman, Visual Geometry Group, Oxford"
SQUEEZENET_CREDIT = "F. N. Iandola, S. Han and others (SqueezeNet); license: BSD 2-clause"
VLFEAT = "https://www.vlfeat.org/matconvnet/models"
KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
NOTOP = "weights_tf_dim_ordering_tf_kernels_notop.h5"
EMBEDDED_CHANGES = "changed: kernels rounded to float16, fully connected layers left out"


@dataclass(frozen=True)
class WeightFile:
    """A weights file.

    `size` is None if it is not published; `url` is None if the file is part of nst_tf.
    """

    file: str
    network: str
    size: int | None
    checksum: str
    license: str
    credit: str
    url: str | None


WEIGHTS = {
    "vgg19": WeightFile(
        "imagenet-vgg-verydeep-19.mat",
        "VGG-19, the paper's network, as MatConvNet releases it",
        534_904_783,
        "sha256:abdb57167f82a2a1fbab1e1c16ad9373411883f262a1a37ee5db2e6fb0044695",
        CC_BY,
        f"{VGG_CREDIT}; converted by the MatConvNet team",
        f"{VLFEAT}/imagenet-vgg-verydeep-19.mat",
    ),
    "vgg16": WeightFile(
        "imagenet-vgg-verydeep-16.mat",
        "VGG-16, as MatConvNet releases it",
        None,
        "md5:f72d927587ca4c97fbd165ec9cb9997f",
        CC_BY,
        f"{VGG_CREDIT}; converted by the MatConvNet team",
        f"{VLFEAT}/imagenet-vgg-verydeep-16.mat",
    ),
    "vgg19-keras": WeightFile(
        f"vgg19_{NOTOP}",
        "the same VGG-19 without its classifier, from Keras: a sixth of the download",
        80_134_624,
        "md5:253f8cb515780f3b799900260a226db6",
        CC_BY,
        f"{VGG_CREDIT}; converted by F. Chollet",
        f"{KERAS}/vgg19/vgg19_{NOTOP}",
    ),
    "vgg16-keras": WeightFile(
        f"vgg16_{NOTOP}",
        "VGG-16 without its classifier, from Keras",
        58_889_256,
        "md5:6d6bbae143d832006294945121d1f1fc",
        CC_BY,
        f"{VGG_CREDIT}; converted by F. Chollet",
        f"{KERAS}/vgg16/vgg16_{NOTOP}",
    ),
    "embedded": WeightFile(
        "vgg16_imagenet.npz",
        "VGG-16 (ImageNet): the convolutions of VGG-16, as in MatConvNet and Keras",
        27_222_549,
        "sha256:4505b50bc1f63ee925279370847f38ca37a7d97faea39cb7544639ae1741ead3",
        f"CC BY 4.0; {EMBEDDED_CHANGES}",
        VGG_CREDIT,
        None,
    ),
}

# MD5 of every release, for `verify`: users have files of all releases.
RELEASES = {
    "106118b7cf60435e6d8e04f6a6dc3657": "MatConvNet VGG-19, beta23 and later (current)",
    "49e623de543b207d57fab0f6eaf79a7e": "MatConvNet VGG-19, beta19 to beta22",
    "b9b4a9eb1c2fb3b50e1ec1aca6f22342": "MatConvNet VGG-19, beta17 and beta18",
    "7354f1087a23b7fb4221c6a4b5653cd0": "MatConvNet VGG-19, first two weeks of beta17",
    "8ee3263992981a1d26e73b3ca028a123": "MatConvNet VGG-19, beta11 to beta16",
    "f72d927587ca4c97fbd165ec9cb9997f": "MatConvNet VGG-16, beta23 and later (current)",
    "7f0f9f01dfd99c7b7088d1c5a26eb483": "MatConvNet VGG-16, beta19 to beta22",
    "5a68244cf55c66fea59e23ee63cf56ef": "MatConvNet VGG-16, beta17 and beta18",
    "253f8cb515780f3b799900260a226db6": "Keras VGG-19 notop",
    "6d6bbae143d832006294945121d1f1fc": "Keras VGG-16 notop",
    "33f81ae88471c0cedb82a863740d6906": "the embedded VGG-16 (ImageNet) of nst_tf",
}


def credit(name):
    """Return credit and license of a trunk's weights, by the trunk's `name`."""
    if name.startswith("VGG-16 (ImageNet)"):
        return f"{WEIGHTS['embedded'].credit}; license: {WEIGHTS['embedded'].license}"
    if "SqueezeNet" in name:
        return SQUEEZENET_CREDIT
    return f"{VGG_CREDIT}; license: {CC_BY}"
