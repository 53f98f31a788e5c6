import writer from 'hdr-histogram-js/dist/HistogramLogWriter.js';

export const HistogramLogWriter = writer.default;
