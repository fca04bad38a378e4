// Uploads a file by tus-js-client, with the retries that a person would configure. Arguments, as one JSON
// object: url, token, file, and options of tus.Upload. One line of JSON when it is over.
const fs = require("fs");
const { createRequire } = require("module");
const tus = createRequire(process.env.JR_TUS_CLIENT + "/")("tus-js-client");

const { url, token, file, ...options } = JSON.parse(process.argv[2]);
const say = (what) => { console.log(JSON.stringify(what)); };
let dataset = null, retries = 0;

const upload = new tus.Upload(fs.createReadStream(file), {
  endpoint: url,
  ...(options.parallelUploads ? {} : { uploadSize: fs.statSync(file).size }),
  headers: { Authorization: `Bearer ${token}` },
  retryDelays: Array(200).fill(200),
  chunkSize: 4 << 20,
  onShouldRetry: () => { retries += 1; return true; },
  onAfterResponse: (_, response) => { dataset = response.getHeader("Upload-Dataset") || dataset; },
  onError: (error) => { say({ error: String(error), retries }); process.exit(1); },
  onSuccess: () => { say({ url: upload.url, dataset, retries }); },
  ...options,
});
upload.start();
