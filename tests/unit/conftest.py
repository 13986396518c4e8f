"""Where the tests of what PyTorch computes run: on the CPU, and once more on a GPU where there is one."""

def pytest_generate_tests(metafunc):
    """Give a test that asks for `device` each device in turn; GPUs compute in full precision, without TF32."""
    if "device" in metafunc.fixturenames:
        import torch  # here, because most tests do not need it

        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        metafunc.parametrize("device", ["cpu"] + ["cuda"] * torch.cuda.is_available())
