"""The files of the sets that are fetched: their size, checksum and homes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Remote:
    """A file on the net: its path in the data folder, its bytes and their SHA-256, and the addresses it is tried at."""

    file: str
    size: int
    sha256: str
    urls: tuple[str, ...]


def _fashion(file, size, sha256):
    # the second home speaks no https: the checksum vouches for what it sends
    homes = ("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
             "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/")
    return Remote(f"fashion-mnist/{file}", size, sha256, tuple(home + file for home in homes))


FILES = {
    "cifar10": (
        Remote("cifar-10-binary.tar.gz", 170_052_171,
               "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
               ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz")),
    ),
    "fashion_mnist": (
        _fashion("train-images-idx3-ubyte.gz", 26_421_880,
                 "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        _fashion("train-labels-idx1-ubyte.gz", 29_515,
                 "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        _fashion("t10k-images-idx3-ubyte.gz", 4_422_102,
                 "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        _fashion("t10k-labels-idx1-ubyte.gz", 5_148,
                 "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ),
}
