"""Shares of traces that were made by hand, in the format of torch's profiler."""

from __future__ import annotations

import pytest

from llmseg import UserError
from llmseg.training import measure_shares
from llmseg.training.observing.marks import DATA, EXCHANGE, GROUPS, OPTIMIZER, STEPS, find_group
from llmseg.training.observing.trace import read_timeline


def span(name, start, end, kind="cpu_op", lane=1, **args):
    return {"ph": "X", "cat": kind, "name": name, "pid": 1, "tid": lane, "ts": start, "dur": end - start, "args": args}


def mark(name, start, end):
    return span(name, start, end, "user_annotation")


def launch(start, link, lane=1):
    return span("cudaLaunchKernel", start, start + 1, "cuda_runtime", lane, correlation=link)


def kernel(name, start, end, link=None, kind="kernel", stream=7):
    return span(name, start, end, kind, f"stream {stream}", **({} if link is None else {"correlation": link}))


def shares(*events, **more):
    measured = measure_shares({"traceEvents": list(events), **more})
    assert tuple(measured) == GROUPS
    assert sum(measured.values()) == pytest.approx(1)
    return {group: round(share, 6) for group, share in measured.items() if share}


class TestCpu:
    def test_the_innermost_operation_counts(self):
        assert shares(
            mark(STEPS, 0, 100),
            span("aten::conv2d", 10, 50),
            span("aten::mkldnn_convolution", 20, 40),
            span("autograd::engine::evaluate_function: NativeBatchNormBackward0", 50, 60),
            span("aten::native_batch_norm_backward", 52, 58),
            span("aten::relu", 60, 65),
        ) == {"convolution": 0.4, "normalisation": 0.1, "other": 0.05, "waiting": 0.45}

    def test_operations_within_a_mark_are_of_its_group(self):
        assert shares(
            mark(STEPS, 0, 100),
            mark(DATA, 0, 20),
            span("aten::index", 5, 10),
            mark(OPTIMIZER, 60, 100),
            mark("Optimizer.step#Adam.step", 70, 90),
            span("aten::mul_", 75, 80),
        ) == {"optimizer": 0.4, "data": 0.2, "waiting": 0.4}

    def test_other_marks_are_no_computation(self):
        assert shares(mark(STEPS, 0, 10), mark("ProfilerStep#3", 0, 10), span("aten::add", 2, 4)) == {
            "other": 0.2,
            "waiting": 0.8,
        }

    def test_what_lies_outside_of_the_steps_does_not_count(self):
        assert shares(
            span("aten::conv2d", 0, 60), mark(STEPS, 50, 100), span("aten::relu", 80, 90), span("aten::add", 95, 400)
        ) == {"convolution": 0.2, "other": 0.3, "waiting": 0.5}

    def test_other_threads_do_not_count(self):
        assert shares(mark(STEPS, 0, 10), span("aten::add", 0, 5), span("aten::conv2d", 0, 10, lane=2)) == {
            "other": 0.5,
            "waiting": 0.5,
        }

    def test_an_operation_that_ends_after_the_one_around_it(self):
        """Times are rounded, so that ends do not always nest."""
        assert shares(mark(STEPS, 0, 10), span("aten::add", 0, 5), span("aten::conv2d", 4, 5.5)) == {
            "convolution": 0.15,
            "other": 0.4,
            "waiting": 0.45,
        }

    def test_waiting_for_another_process_is_waiting(self):
        assert shares(
            mark(STEPS, 0, 10),
            *(span("_SumOverProcesses", 0, 8), mark(EXCHANGE, 1, 7), span("c10d::allreduce_", 2, 3)),
            span("c10d::broadcast_", 8, 9),
        ) == {"other": 0.2, "waiting": 0.8}

    def test_the_loader_of_torch_is_data(self):
        loading = mark("enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__", 0, 3)
        assert shares(mark(STEPS, 0, 10), loading, span("aten::stack", 1, 2)) == {"data": 0.3, "waiting": 0.7}


class TestGpu:
    def test_a_kernel_is_of_the_group_of_the_operation_that_started_it(self):
        assert shares(
            mark(STEPS, 0, 100),
            *(span("aten::cudnn_convolution", 0, 4), launch(1, link=5)),
            *(mark("Optimizer.step#AdamW.step", 10, 20), span("aten::_fused_adamw_", 11, 19), launch(12, link=6)),
            *(mark(DATA, 30, 36), span("aten::index", 31, 34), launch(32, link=7)),
            # The backward pass has a thread of its own.
            *(span("NativeBatchNormBackward0", 40, 44, lane=2), launch(41, link=8, lane=2)),
            kernel("sm90_xmma_gemm", 5, 45, 5),
            kernel("elementwise_kernel", 45, 55, 6),
            kernel("Memcpy HtoD (Pinned -> Device)", 55, 60, 7, kind="gpu_memcpy"),
            kernel("reduce_kernel", 60, 80, 8),
        ) == {"convolution": 0.4, "normalisation": 0.2, "optimizer": 0.1, "data": 0.05, "waiting": 0.25}

    def test_a_gpu_that_waits_for_its_batch_waits_for_data(self):
        assert shares(
            mark(STEPS, 0, 100),
            mark(DATA, 20, 60),
            *(span("aten::relu", 60, 70), launch(61, link=1)),
            kernel("relu", 0, 30),
            kernel("relu", 65, 95, 1),
        ) == {"data": 0.3, "other": 0.6, "waiting": 0.1}

    def test_a_batch_that_is_prepared_while_the_gpu_computes_costs_nothing(self):
        assert shares(mark(STEPS, 0, 100), mark(DATA, 20, 60), kernel("relu", 0, 100)) == {"other": 1}

    def test_of_kernels_that_overlap_the_first_counts(self):
        assert shares(
            mark(STEPS, 0, 10), kernel("relu", 0, 6), kernel("winograd", 4, 8, stream=9), kernel("relu", 5, 7)
        ) == {"convolution": 0.2, "other": 0.6, "waiting": 0.2}

    def test_the_names_of_kernels_tell_where_no_operation_does(self):
        """As with CUDA graphs and compiled networks."""
        assert shares(
            mark(STEPS, 0, 100),
            span("cudaGraphLaunch", 0, 2, "cuda_runtime", correlation=1),
            kernel("sm80_xmma_fprop_implicit_gemm_bf16", 0, 50, 1),
            kernel("triton_poi_fused__native_batch_norm_convolution_relu_3", 50, 70, 1),
            kernel("multi_tensor_apply_kernel<FusedAdam>", 70, 80, 1),
            kernel("max_pool_forward_nhwc", 80, 95, 1),
            kernel("ncclDevKernel_AllReduce_Sum_f32_RING_LL", 95, 100),
        ) == {"convolution": 0.5, "normalisation": 0.2, "optimizer": 0.1, "other": 0.15, "waiting": 0.05}


def test_without_the_mark_all_operations_count():
    assert shares(span("aten::conv2d", 10, 20), span("aten::relu", 25, 30), mark("anything", 0, 100)) == {
        "convolution": 0.5,
        "other": 0.25,
        "waiting": 0.25,
    }


def test_names_are_counted_the_largest_first():
    events = [mark(STEPS, 0, 10), span("aten::relu", 0, 2), span("aten::conv2d", 2, 7), span("aten::relu", 7, 8)]
    timeline = read_timeline({"traceEvents": events})
    assert timeline.seconds == pytest.approx(1e-5)
    assert timeline.names == {"aten::conv2d": pytest.approx(0.5), "aten::relu": pytest.approx(0.3)}


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("aten::convolution_backward", "convolution"),
        ("aten::_slow_conv2d_forward", "convolution"),
        ("ConvolutionBackward0", "convolution"),
        ("aten::_nnpack_spatial_convolution", "convolution"),
        ("void cudnn::winograd_nonfused::winogradForwardData4x4", "convolution"),
        ("aten::_convert_indices_from_coo_to_csr", None),
        ("aten::cudnn_batch_norm", "normalisation"),
        ("void cudnn::bn_fw_tr_1C11_kernel_NCHW", "normalisation"),
        ("aten::linalg_vector_norm", None),
        ("Optimizer.zero_grad#Adam.zero_grad", "optimizer"),
        ("aten::_fused_adam_", "optimizer"),
        ("Memcpy DtoH (Device -> Pageable)", None),
    ],
)
def test_groups_by_name(name, group):
    assert find_group(name) == group


@pytest.mark.parametrize("trace", [{}, {"traceEvents": []}, {"traceEvents": [mark(STEPS, 3, 3)]}])
def test_a_trace_without_operations_is_refused(trace):
    with pytest.raises(UserError, match="has no operations; record some steps"):
        measure_shares(trace)


@pytest.mark.parametrize("trace", [[], {"traceEvents": 3}, {"traceEvents": [{"ph": "X", "cat": "kernel"}]}])
def test_what_is_no_trace_is_refused(trace):
    with pytest.raises(UserError, match="no trace of torch's profiler; record one"):
        measure_shares(trace)
