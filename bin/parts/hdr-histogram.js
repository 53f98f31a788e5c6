import histogram from 'hdr-histogram-js/dist/Float64Histogram.js';

export const Float64Histogram = histogram.default;
