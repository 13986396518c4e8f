/* A convolutional network on typed arrays, quick enough for a drag: the operators of dtwin.ref for one picture.
   Feature maps are { values, shape: [channels, height, width] }, values in the order of the shape. */

/* `weight` and `bias` as flat arrays, `shape` that of the weight: (out, channels, kh, kw). */
export function conv2d(x, { weight, bias, shape }, stride = 1, padding = 0) {
  const [out, , ...kernel] = shape;
  const { windows, rows, columns } = im2col(x, kernel, stride, padding);
  const [places, depth] = [rows * columns, weight.length / out];
  const values = new Float32Array(out * places);
  for (let o = 0; o < out; o++) {
    const map = values.subarray(o * places, (o + 1) * places);
    map.fill(bias[o]);
    for (let k = 0; k < depth; k += 4) {
      // four rows at a time, so that the map is read and written a quarter as often
      const [a, b, c, d] = [0, 1, 2, 3].map((m) => (k + m < depth ? weight[o * depth + k + m] : 0));
      const [p, q, r, s] = [0, 1, 2, 3].map((m) => windows.subarray((k + m) * places, (k + m + 1) * places));
      for (let n = 0; n < places; n++) map[n] += a * p[n] + b * q[n] + c * r[n] + d * s[n];
    }
  }
  return { values, shape: [out, rows, columns] };
}

function im2col({ values, shape: [channels, height, width] }, [kh, kw], stride, padding) {
  const [rows, columns] = [side(height, kh, stride, padding), side(width, kw, stride, padding)];
  // zero, as the padding is; and zero rows behind the last, up to a multiple of four
  const windows = new Float32Array(4 * Math.ceil((channels * kh * kw) / 4) * rows * columns);
  for (let c = 0, row = 0; c < channels; c++)
    for (let i = 0; i < kh; i++)
      for (let j = 0; j < kw; j++, row++)
        for (let r = 0; r < rows; r++) {
          const y = r * stride + i - padding;
          if (y < 0 || y >= height) continue;
          for (let q = 0; q < columns; q++) {
            const x = q * stride + j - padding;
            if (x >= 0 && x < width) windows[(row * rows + r) * columns + q] = values[(c * height + y) * width + x];
          }
        }
  return { windows, rows, columns };
}

const side = (length, kernel, stride, padding) => Math.floor((length + 2 * padding - kernel) / stride) + 1;

export function relu({ values, shape }) {
  return { values: values.map((value) => Math.max(0, value)), shape };
}

export function maxPool2d({ values, shape: [channels, height, width] }, kernel, stride = kernel, padding = 0) {
  const [rows, columns] = [side(height, kernel, stride, padding), side(width, kernel, stride, padding)];
  const pooled = new Float32Array(channels * rows * columns).fill(-Infinity);
  for (let n = 0; n < pooled.length; n++) {
    const [c, r, q] = [Math.floor(n / (rows * columns)), Math.floor(n / columns) % rows, n % columns];
    const [top, left] = [r * stride - padding, q * stride - padding];
    for (let y = Math.max(0, top); y < Math.min(height, top + kernel); y++)
      for (let x = Math.max(0, left); x < Math.min(width, left + kernel); x++)
        pooled[n] = Math.max(pooled[n], values[(c * height + y) * width + x]);
  }
  return { values: pooled, shape: [channels, rows, columns] };
}

export function globalAvgPool({ values, shape: [channels, height, width] }) {
  const places = height * width;
  return Float32Array.from({ length: channels }, (_, c) => sum(values.subarray(c * places, (c + 1) * places)) / places);
}

export function linear(x, { weight, bias }) {
  return Float32Array.from(bias, (b, o) => b + sum(x.map((value, k) => value * weight[o * x.length + k])));
}

export function softmax(scores) {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  return powers.map((power) => power / sum(powers));
}

/* What each place of the last maps says for a class, by the weights of the linear layer behind their means. */
export function cam({ values, shape: [channels, height, width] }, { weight }, chosen) {
  const map = new Float32Array(height * width);
  for (let c = 0; c < channels; c++)
    for (let n = 0; n < map.length; n++) map[n] += weight[chosen * channels + c] * values[c * map.length + n];
  return map;
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/* Numbers that travel as text, in base 64: bytes, and floating point numbers of half precision. */
export function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

export function halves(text) {
  return Float32Array.from(new Uint16Array(bytes(text).buffer), (bits) => {
    const [sign, power, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    return sign * (power ? (1 + fraction / 1024) * 2 ** (power - 15) : fraction * 2 ** -24);
  });
}
