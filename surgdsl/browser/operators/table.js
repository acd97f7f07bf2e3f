/**
 * The rows of docs/operators.md, word for word.
 *
 * A test holds them equal to the page, so that whoever changes the one sees the other; `row.js` says how they are read.
 */

export const TABLE = `
@made = dtype:dtype? layout:any device:any pin_memory:any
@norm = momentum:number eps:number cudnn_enabled:flag
@conv = stride:ints padding:ints dilation:ints groups!:int
@layers = has_biases:flag num_layers:int dropout:number train:flag bidirectional:flag batch_first:flag

relu neg abs square sign floor ceil round trunc | self | n
clone contiguous | self memory_format:any | a
detach alias lift_fresh_copy zero | self | a
copy | self src non_blocking:any | ax | * ~*>*
relu6 sigmoid tanh silu hardswish hardsigmoid mish exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal | self
sin cos tan asin acos atan sinh cosh asinh erf erfc selu log_sigmoid frac | self
gelu | self approximate:text
leaky_relu | self negative_slope:number
elu | self alpha:number scale:number input_scale:number
celu | self alpha:number
hardtanh | self min_val:number max_val:number
softplus | self beta:number threshold:number
hardshrink softshrink | self lambd:number
dropout feature_dropout | input p:number train:off
nan_to_num | self nan:number? posinf:number? neginf:number?
threshold | self threshold:number value:number | n
fake_quantize_per_tensor_affine | self scale:number zero_point:int quant_min:int quant_max:int | f | <grid>
logical_not isnan isinf isfinite | self | x>B
bitwise_not | self | e
to.dtype | self dtype:dtype non_blocking:any copy:any memory_format:any | x
to.dtype_layout | self @made non_blocking:any copy:any memory_format:any | a
to.device | self device:any dtype:dtype non_blocking:any copy:any memory_format:any | x
_to_copy | self @made non_blocking:any memory_format:any | a
type_as | self other | xa | * .>*
add.Tensor | self other/ alpha:number | p
add.Scalar | self other:operand alpha:number | p
sub.Tensor rsub.Tensor | self other/ alpha:number | q
sub.Scalar rsub.Scalar | self other:operand alpha:number | q
mul.Tensor | self other/ | p
mul.Scalar | self other:operand | p
div.Tensor | self other/ | p>F
div.Scalar | self other:operand | p>F
div.Tensor_mode | self other/ rounding_mode:text | q
floor_divide remainder.Tensor fmod.Tensor | self other/ | q
floor_divide.Scalar remainder.Scalar fmod.Scalar | self other:operand | q
pow.Tensor_Tensor | self exponent | q
pow.Tensor_Scalar | self exponent:operand | q
pow.Scalar | self:operand exponent | q
maximum minimum fmax fmin max.other min.other | self other | p
atan2 | self other | p>F
lerp.Scalar | self end weight:number
lerp.Tensor | self end weight
addcmul addcdiv | self tensor1 tensor2 value:number | p
clamp | self min:operand? max:operand? | q
clamp.Tensor | self min? max? | q
clamp_min clamp_min.Tensor | self min/ | q
clamp_max clamp_max.Tensor | self max/ | q
eq.Tensor ne.Tensor lt.Tensor le.Tensor gt.Tensor ge.Tensor | self other/ | p>B
eq.Scalar ne.Scalar lt.Scalar le.Scalar gt.Scalar ge.Scalar | self other:operand | p>B
logical_and logical_or logical_xor | self other | x>B
bitwise_and.Tensor bitwise_or.Tensor bitwise_xor.Tensor __and__.Tensor __or__.Tensor __xor__.Tensor | self other/ | e
where.self | condition self other | bp
where.ScalarOther | condition self other:operand | bp
where.ScalarSelf | condition self:operand other | bp
masked_fill.Scalar | self mask value:any | ab
masked_fill.Tensor | self mask value | abx | ~* ~* _>*
embedding | weight indices padding_idx:int scale_grad_by_freq:flag sparse:flag | fi | Nd *>*d
linear | input weight bias? | f | *i oi o>*o | *oi
bilinear | input1 input2 weight bias? | f | *i *j oij o>*o | *oij+*oj
mm | self mat2 | f | li ir>lr | lr.i
bmm | self mat2 | f | bli bir>blr | blr.i
transformers.grouped_mm_fallback.default | input weight offs | ffi | Ni Gio G>No | No.i
mv | self vec | f | li i>l | l.i
dot | self tensor | f | i i>_ | .i
addmm | self mat1 mat2 beta:number alpha:number | f | ~l~r li ir>lr | lr.i
baddbmm | self batch1 batch2 beta:number alpha:number | f | ~b~l~r bli bir>blr | blr.i
matmul | self other | f | <matmul> | *lr.i
einsum | equation:text tensors* path:none | f | <einsum>
scaled_dot_product_attention |
  query key value attn_mask? dropout_p:number is_causal:flag scale!:number? enable_gqa:flag |
  fffm | <attention> | *bhlLSe+*bhlLSv
lstm.input | input hx* params* @layers | f>=== | <layers>
gru.input rnn_tanh.input rnn_relu.input | input hx params* @layers | f>== | <layers>
batch_norm | input weight? bias? running_mean? running_var? training:flag @norm | f | <batch>
instance_norm | input weight? bias? running_mean? running_var? use_input_stats:flag @norm | f | nc# c c c c>nc#
layer_norm | input normalized_shape:ints weight? bias? eps:number cudnn_enable:flag | f | <layer>
rms_norm | input normalized_shape:ints weight? eps:number? | f | <layer>
group_norm | input num_groups!:int weight? bias? eps:number cudnn_enabled:flag | f | <groups>
prelu | self weight | f | <prelu>
_weight_norm | v g dim:int | f | <polar>
conv1d conv2d conv3d | input weight bias? @conv | f | <conv> | noiKLMXYZ
conv1d.padding conv2d.padding conv3d.padding |
  input weight bias? stride:ints padding:text dilation:ints groups!:int | f | <conv> | noiKLMXYZ
conv_transpose1d conv_transpose2d.input conv_transpose3d.input |
  input weight bias? stride:ints padding:ints output_padding:ints groups!:int dilation:ints |
  f | <transposed> | ncoKLMABD
max_pool1d max_pool2d max_pool3d |
  self kernel_size:ints stride:ints padding:ints dilation:ints ceil_mode:flag | f | <pool>
avg_pool1d | self kernel_size:ints stride:ints padding:ints ceil_mode:flag count_include_pad:flag | f | <pool>
avg_pool2d avg_pool3d |
  self kernel_size:ints stride:ints padding:ints ceil_mode:flag count_include_pad:flag divisor_override:int? |
  f | <pool>
adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d | self output_size:sizes | f | <resample>
adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d | self output_size:sizes | f>=L | <resample>
upsample_nearest1d.vec upsample_nearest2d.vec upsample_nearest3d.vec |
  input output_size:sizes? scale_factors:numbers? | f | <resample>
upsample_linear1d.vec upsample_bilinear2d.vec upsample_trilinear3d.vec upsample_bicubic2d.vec |
  input output_size:sizes? align_corners:flag scale_factors:numbers? | f | <resample>
im2col | self kernel_size:ints dilation:ints padding:ints stride:ints | f | <columns>
col2im | self output_size:sizes kernel_size:ints dilation:ints padding:ints stride:ints | f | <columns>
flatten.using_ints | self start_dim:int end_dim:int | a | <view>
view | self size!:sizes | a | <view>
reshape | self shape!:sizes | a | <view>
permute | self dims:ints | a | <permute>
transpose.int | self dim0:int dim1:int | a | <permute>
unsqueeze | self dim:int | a | ^>^1
squeeze | self | a | <squeeze>
squeeze.dim squeeze.dims | self dim:dims | a | <squeeze>
cat | tensors* dim:int | a | <cat>
stack | tensors* dim:int | a | <stack>
slice.Tensor | self dim:int start!:int end!:int step:int | a | <slice>
slice_scatter | self src dim:int start:int end:int step:int | a | <scatter>
unfold | self dim=dimension:int size:int step:int | a | <unfold>
select.int | self dim:int index:int | a | <unbind>
unbind.int | self dim:int | a | <unbind>
split_with_sizes | self split_sizes!:sizes dim:int | a | <split>
expand | self size!:sizes implicit:any | a | <expand>
repeat | self repeats!:sizes | a | <repeat>
tile | self repeats!=dims:sizes | a | <repeat>
repeat_interleave.self_int | self repeats!:int dim:int output_size!:size? | a | <interleave>
flip | self dim=dims:ints | a | ^W>^W
roll | self shifts:ints dim=dims:ints | a | ^W>^W
triu tril | self diagonal:int | a | *RC>*RC
pixel_shuffle | self upscale_factor:int | a | <shuffle>
pad | self pad:ints mode:text value:number? | a | <pad>
constant_pad_nd | self pad:ints value:number | a | <pad>
index.Tensor | self indices% | ai | <index>
index_put | self indices% values accumulate:flag | aia | <put>
index_select | self dim:int index | ai | ^W I0>^I
gather | self dim:int index sparse_grad:flag | ai | ^W ^I>^I
mean | self dtype:dtype? | f | ^W>^
mean.dim | self dim:dims? keepdim:flag dtype:dtype? | f | ^W>^
sum | self dtype:dtype? | a>S | ^w>^
sum.dim_IntList | self dim:dims? keepdim:flag dtype:dtype? | a>S | ^w>^
prod | self dtype:dtype? | a>S | ^W>^
prod.dim_int | self dim:int keepdim:flag dtype:dtype? | a>S | ^W>^
amax amin | self dim:ints keepdim:flag | a | ^W>^
max min | self | a | ^W>^
max.dim min.dim | self dim:int keepdim:flag | a>=L | ^W>^
argmax argmin | self dim:int? keepdim:flag | n>L | ^W>^
any all | self | y>B | ^W>^
any.dim all.dim | self dim:int keepdim:flag | y>B | ^W>^
logsumexp | self dim:ints keepdim:flag | f | ^W>^
var std | self unbiased:flag | f | ^W>^
var.dim std.dim | self dim:dims? unbiased:flag keepdim:flag | f | ^W>^
var.correction std.correction | self dim:dims? correction:number? keepdim:flag | f | ^W>^
var_mean.correction std_mean.correction | self dim:dims? correction:number? keepdim:flag | f>== | ^W>^
linalg_vector_norm | self ord:number dim:dims? keepdim:flag dtype:dtype? | f | <vector>
softmax.int log_softmax.int | self dim:int dtype:dtype? | f | ^W>^W
cumsum | self dim:int dtype:dtype? | a>S | ^w>^w
sort | self dim:int descending:flag | a>=L | ^W>^W
argsort | self dim:int descending:flag | a>L | ^W>^W
histc | self bins:int min:number max:number | f | #>[Bins]
topk | self k:int dim:int largest:flag sorted:flag | n>=L | <topk>
diff | self n:int dim:int prepend? append? | n | <diff>
zeros ones | size!:sizes @made | x>F | .>[size]
empty.memory_format | size!:sizes @made memory_format:any | x>F | .>[size]
full | size!:sizes fill_value:operand @made | p | .>[size]
new_zeros new_ones new_empty | self size!:sizes @made | a | .>[size]
new_full | self size!:sizes fill_value:any @made | a | .>[size]
zeros_like ones_like empty_like | self @made memory_format:any | a
full_like | self fill_value:any @made memory_format:any | a
scalar_tensor | s:any @made | x>F | >_
arange | end:operand @made | q | <range>
arange.start | start:operand end:operand @made | q | <range>
arange.start_step | start:operand end:operand step:operand @made | q | <range>
`;
