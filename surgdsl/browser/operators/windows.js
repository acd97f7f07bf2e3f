/**
 * Operators with windows over space: convolutions, pooling, resampling.
 */

import { extent, polynomial, times } from "../extent.js";
import { source, target } from "./layout.js";

const KERNEL = ["K", "L", "M"];
const SPACE = ["X", "Y", "Z"];
const ORIGIN = ["A", "B", "D"];

/** How many dimensions of space an operator has: the digit before the d in its name. */
const spatial = (call) => Number(/([123])d/.exec(call.row.name)[1]);

/** An attribute for each dimension of space: one integer each, or one for all. @returns {any[]} */
function each(call, name, count) {
  const list = call.value(name);
  call.demand(list.length === count || list.length === 1, `takes ${count} numbers as ${name}, not ${list.length}`);
  return list.length === count ? list : Array.from({ length: count }, () => list[0]);
}

/** Sizes or factors, of which there must be one for each dimension of space. @returns {any[]} */
function exactly(call, name, count) {
  const list = call.value(name);
  call.demand(list.length === count, `takes ${count} numbers as ${name}, not ${list.length}`);
  return list;
}

/** Demands integers of a least value. */
function atLeast(call, name, numbers, least) {
  call.demand(numbers.every((one) => one >= least), `takes no ${name} ${numbers}`);
  return numbers;
}

/** The extents of space, which are integers. */
function space(call, shape, count) {
  const found = shape.slice(-count);
  call.demand(found.every((one) => typeof one === "number"), `takes integers as extents of space, not ${found.join("·")}`);
  return found;
}

/** The sources and parameters of convolutions both ways. */
function convolved(call, layout) {
  const count = spatial(call);
  const [x, weight, bias] = ["input", "weight", "bias"].map((name) => call.port(name));
  const [shape, kernel] = [call.shape(x), call.shape(weight)];
  call.demand(shape.length === count + 2 && kernel.length === count + 2, `takes ${count + 2} dimensions`);
  const groups = call.value("groups");
  call.demand(groups >= 1, `has no ${groups} groups`);
  for (let k = 2; k < count + 2; k += 1) layout.hold(source(x, k), source(weight, k), target(0, k));
  KERNEL.slice(0, count).forEach((letter, k) => layout.letters.set(letter, kernel[k + 2]));
  layout.letters.set("n", shape[0]);
  return { count, x, weight, bias, shape, kernel, groups, size: space(call, kernel, count + 2).slice(2) };
}

/** Demands a bias of so many channels, tied to those of the target. */
function biased(call, layout, bias, channels) {
  if (bias < 0) return;
  const shape = call.shape(bias);
  call.demand(shape.length === 1 && shape[0] === channels, `takes a bias of ${channels}, not ${shape.join("·")}`);
  layout.tie(source(bias, 0), target(0, 1));
}

/** Demands that groups part an extent. */
function parted(call, own, groups) {
  call.demand(groups === 1 || (typeof own === "number" && own % groups === 0), `cannot part ${own} channels in ${groups} groups`);
}

/** conv1d, conv2d, conv3d. */
export function conv(call, layout) {
  const { count, x, weight, bias, shape, kernel, groups, size } = convolved(call, layout);
  const [outputs, width] = kernel;
  parted(call, outputs, groups);
  parted(call, shape[1], groups);
  call.demand(groups === 1 ? shape[1] === width : shape[1] === width * groups, `takes ${shape[1]} channels as ${groups} times ${width}`);
  const stride = atLeast(call, "stride", each(call, "stride", count), 1);
  const dilation = atLeast(call, "dilation", each(call, "dilation", count), 1);
  const made = spread(call, space(call, shape, count), { size, stride, dilation });
  layout.add([shape[0], outputs, ...made]);
  SPACE.slice(0, count).forEach((letter, k) => layout.letters.set(letter, made[k]));
  layout.letters.set("o", outputs);
  layout.letters.set("i", width);
  layout.tie(source(x, 0), target(0, 0));
  layout.tie(source(weight, 0), target(0, 1));
  biased(call, layout, bias, outputs);
  layout.blocks.push({ outer: source(weight, 0), inner: source(weight, 1), channels: source(x, 1), groups, extent: outputs, width });
}

/** The extents of space behind a convolution. */
function spread(call, inside, { size, stride, dilation }) {
  const count = inside.length;
  if (call.value("padding") === "same") {
    call.demand(stride.every((one) => one === 1), "keeps the extents only with stride 1");
    return inside;
  }
  const valid = call.value("padding") === "valid";
  call.demand(valid || Array.isArray(call.value("padding")), `takes no padding ${call.value("padding")}`);
  const padding = valid ? inside.map(() => 0) : atLeast(call, "padding", each(call, "padding", count), 0);
  return inside.map((own, k) => {
    const room = own + 2 * padding[k] - dilation[k] * (size[k] - 1) - 1;
    call.demand(room >= 0, `has a window of ${size[k]} over ${own}`);
    return Math.floor(room / stride[k]) + 1;
  });
}

/** Transposed convolutions. */
export function transposed(call, layout) {
  const { count, x, weight, bias, shape, kernel, groups, size } = convolved(call, layout);
  const [channels, width] = kernel;
  call.demand(shape[1] === channels, `takes ${channels} channels, not ${shape[1]}`);
  parted(call, channels, groups);
  call.demand(groups === 1 || typeof width === "number", `cannot multiply ${width} by groups`);
  const outputs = groups === 1 ? width : width * groups;
  const stride = atLeast(call, "stride", each(call, "stride", count), 1);
  const dilation = atLeast(call, "dilation", each(call, "dilation", count), 1);
  const padding = atLeast(call, "padding", each(call, "padding", count), 0);
  const more = atLeast(call, "output_padding", each(call, "output_padding", count), 0);
  call.demand(more.every((one, k) => one < Math.max(stride[k], dilation[k])), `takes no output_padding ${more}`);
  const inside = space(call, shape, count);
  const made = inside.map((own, k) => (own - 1) * stride[k] - 2 * padding[k] + dilation[k] * (size[k] - 1) + more[k] + 1);
  call.demand(made.every((one) => one >= 1), `makes extents ${made}`);
  layout.add([shape[0], extent(polynomial(outputs)), ...made]);
  ORIGIN.slice(0, count).forEach((letter, k) => layout.letters.set(letter, inside[k]));
  layout.letters.set("o", width);
  layout.letters.set("c", channels);
  layout.tie(source(x, 0), target(0, 0));
  layout.tie(source(x, 1), source(weight, 0));
  biased(call, layout, bias, outputs);
  layout.blocks.push({ outer: source(weight, 0), inner: source(weight, 1), channels: target(0, 1), groups, extent: channels, width });
}

/** What lies before the extents of space stays, space is whole. @param {number[]} made */
function overSpace(call, layout, made, isLead) {
  const [port] = [...call.ports.values()].flat();
  const shape = call.shape(port);
  const lead = shape.length - made.length;
  call.demand(isLead(lead), `takes no tensor of ${shape.length} dimensions`);
  for (let k = 0; k < call.row.results.length; k += 1) layout.add([...shape.slice(0, lead), ...made]);
  shape.forEach((_, k) => {
    const places = [source(port, k), ...layout.shapes.map((_shape, to) => target(to, k))];
    if (k < lead) layout.tie(...places);
    else layout.hold(...places);
  });
}

/** max_pool, avg_pool. */
export function pool(call, layout) {
  const count = spatial(call);
  const shape = call.shape(call.port("self"));
  call.demand(shape.length > count, `takes no tensor of ${shape.length} dimensions`);
  const inside = space(call, shape, count);
  const size = atLeast(call, "kernel_size", each(call, "kernel_size", count), 1);
  const stride = call.value("stride").length === 0 ? size : atLeast(call, "stride", each(call, "stride", count), 1);
  const padding = atLeast(call, "padding", each(call, "padding", count), 0);
  const dilation = call.has("dilation") ? atLeast(call, "dilation", each(call, "dilation", count), 1) : size.map(() => 1);
  const ceil = call.value("ceil_mode");
  const made = inside.map((own, k) => {
    const reach = dilation[k] * (size[k] - 1) + 1;
    call.demand(2 * padding[k] <= reach, `has a padding of ${padding[k]} for windows of ${reach}`);
    return windows({ own, padding: padding[k], reach, stride: stride[k], ceil });
  });
  call.demand(made.every((one) => one >= 1), `makes extents ${made}`);
  overSpace(call, layout, made, (lead) => lead === 2);
}

/** How many windows there are; with `ceil` the last one starts inside the input or its left padding. */
function windows({ own, padding, reach, stride, ceil }) {
  const room = own + 2 * padding - reach;
  if (!ceil) return Math.floor(room / stride) + 1;
  const found = Math.ceil(room / stride) + 1;
  return (found - 1) * stride >= own + padding ? found - 1 : found;
}

/** Adaptive pooling and resampling: to a size, or by factors. */
export function resample(call, layout) {
  const count = spatial(call);
  const adaptive = call.row.name.startsWith("aten.adaptive");
  const fits = (lead) => (adaptive ? lead >= 0 : lead === 2);
  if (call.value("output_size") !== null) {
    return overSpace(call, layout, exactly(call, "output_size", count).map((one) => extent(polynomial(one))), fits);
  }
  call.demand(call.value("scale_factors") !== null, "takes a size or factors");
  const shape = call.shape(call.port("input"));
  call.demand(shape.length === count + 2, `takes no tensor of ${shape.length} dimensions`);
  const scales = exactly(call, "scale_factors", count);
  call.demand(scales.every((one) => one > 0 && one < 2 ** 40), `has no factors ${scales}`);
  const made = space(call, shape, count).map((own, k) => Math.floor(own * scales[k]));
  call.demand(made.every((one) => one >= 1 && Number.isSafeInteger(one)), `makes extents ${made}`);
  return overSpace(call, layout, made, fits);
}

/** The windows over an input of two dimensions of space, all of them. */
function allWindows(call, inside) {
  const [size, stride, dilation] = ["kernel_size", "stride", "dilation"].map((name) => atLeast(call, name, each(call, name, 2), 1));
  const padding = atLeast(call, "padding", each(call, "padding", 2), 0);
  const made = inside.map((own, k) => {
    const reach = dilation[k] * (size[k] - 1) + 1;
    call.demand(typeof own === "number" && own + 2 * padding[k] >= reach, `has a window of ${reach} over ${own}`);
    return windows({ own, padding: padding[k], reach, stride: stride[k], ceil: false });
  });
  return { area: size[0] * size[1], count: made[0] * made[1] };
}

/** im2col: every window a column of channels and places. */
function unrolled(call, layout, port, shape) {
  const lead = shape.length - 3;
  call.demand(lead >= 0, `takes no tensor of ${shape.length} dimensions`);
  const { area, count } = allWindows(call, shape.slice(-2));
  const channels = extent(times(polynomial(shape[lead]), polynomial(area)));
  const to = layout.add([...shape.slice(0, lead), channels, count]);
  layout.hold(source(port, lead + 1), source(port, lead + 2), target(to, lead + 1));
  return { lead, link: [target(to, lead), source(port, lead), area] };
}

/** col2im: the columns added up where they came from. */
function rolled(call, layout, port, shape) {
  const lead = shape.length - 2;
  call.demand(lead >= 0, `takes no tensor of ${shape.length} dimensions`);
  const size = exactly(call, "output_size", 2);
  const { area, count } = allWindows(call, size);
  const [channels, columns] = shape.slice(-2);
  call.demand(columns === count, `takes ${count} columns, not ${columns}`);
  call.demand(typeof channels === "number" && channels % area === 0, `cannot part ${channels} channels in windows of ${area}`);
  const to = layout.add([...shape.slice(0, lead), channels / area, ...size]);
  layout.hold(source(port, lead + 1), target(to, lead + 1), target(to, lead + 2));
  return { lead, link: [source(port, lead), target(to, lead), area] };
}

/** im2col and col2im. */
export function columns(call, layout) {
  const port = call.port("self");
  const shape = call.shape(port);
  const { lead, link } = call.has("output_size") ? rolled(call, layout, port, shape) : unrolled(call, layout, port, shape);
  const [from, to, area] = link;
  layout.link(from, to, (index) => Math.floor(index / area));
  for (let k = 0; k < lead; k += 1) layout.tie(source(port, k), target(0, k));
}
