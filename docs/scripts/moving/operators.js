/* The few operators that the moving figures need, as in dtwin.ref; a tensor is nested arrays. */

/* The windows of an image (channels, height, width) as columns: (channels · kh · kw) rows, one column a window. */
export function im2col(image, [kh, kw], stride, padding) {
  const [rows, columns] = outputSize(image, [kh, kw], stride, padding);
  const matrix = [];
  for (const channel of image)
    for (let i = 0; i < kh; i++)
      for (let j = 0; j < kw; j++) {
        const row = [];
        for (let r = 0; r < rows; r++)
          for (let c = 0; c < columns; c++) row.push(channel[r * stride + i - padding]?.[c * stride + j - padding] ?? 0);
        matrix.push(row);
      }
  return matrix;
}

export function outputSize(image, [kh, kw], stride, padding) {
  const side = (length, k) => Math.floor((length + 2 * padding - k) / stride) + 1;
  return [side(image[0].length, kh), side(image[0][0].length, kw)];
}

/* The product of two matrices. */
export function product(a, b) {
  return a.map((row) => b[0].map((_, n) => row.reduce((sum, value, k) => sum + value * b[k][n], 0)));
}

/* Feature maps (out, rows, columns) of an image under a weight (out, channels, kh, kw), by im2col. */
export function conv2d(image, weight, stride, padding) {
  const kernel = [weight[0][0].length, weight[0][0][0].length];
  const [rows, columns] = outputSize(image, kernel, stride, padding);
  const maps = product(weight.map((one) => one.flat(2)), im2col(image, kernel, stride, padding));
  return maps.map((map) => Array.from({ length: rows }, (_, r) => map.slice(r * columns, (r + 1) * columns)));
}

/* What one unit of the last of some layers {kernel, stride, padding} sees of the picture, along one side: the length
   of its window, the distance between the windows of neighbours, and where the first window begins. */
export function receptiveField(layers) {
  return layers.reduce(
    ({ length, step, start }, { kernel, stride, padding }) => ({
      length: length + (kernel - 1) * step,
      step: step * stride,
      start: start - padding * step,
    }),
    { length: 1, step: 1, start: 0 },
  );
}
