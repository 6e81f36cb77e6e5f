/** @file The sections that need trained networks: predictions, errors at boundaries, sampling points. */

import {
  DySample,
  Fpn4,
  type Picture,
  samplingPoints,
  shapes64,
  validationInput,
  validationPictures,
} from "@gridgrad/dysample";
import { inputOfLast } from "@gridgrad/dysample/internal";
import { encodePng } from "@gridgrad/dysample/node";

import { pointsFile } from "../compare/comparisonFolder.ts";
import { errorRates } from "./boundaryErrors.ts";
import { drawPoints, type StagePoints } from "./drawPoints.ts";
import { errorChart } from "./errorChart.ts";
import { escapeHtml } from "./escapeHtml.ts";
import type { ReportFiles } from "./reportFiles.ts";
import { chooseCrop } from "./pointsCrop.ts";
import { bandErrorRate, bandStrip, type Prediction, predictionStrip, shownPictures } from "./predictionPictures.ts";
import { networkAt, type Stage, stages, type TrainedNetwork } from "./trainedNetwork.ts";

/** Pictures over which errors are counted, and how many of them are predicted at once. */
const counted = 64;
const batch = 16;

const unavailable = "<p>Drawn when a run of the segmentation task is complete and its weights are there.</p>";

/** What each network says about the first validation pictures. */
export async function predictionsOf(networks: readonly TrainedNetwork[]): Promise<Prediction[]> {
  const predictions: Prediction[] = [];
  for (const { label, colour, task } of networks) {
    const masks = new Uint8Array(counted * shapes64.size ** 2);
    for (let start = 0; start < counted; start += batch) {
      masks.set(await task.predict(start, batch), start * shapes64.size ** 2);
    }
    predictions.push({ label, colour, masks });
  }
  return predictions;
}

/** The first pictures with each network's prediction and errors; also as strip.png. */
export async function predictionSection(predictions: readonly Prediction[], files: ReportFiles): Promise<string> {
  if (predictions.length === 0) return unavailable;
  const strip = predictionStrip(predictions);
  await files.strip(strip);
  const names = predictions.map(({ label }) => label).join(", ");
  return pictureFigure(
    strip,
    `${shownPictures} validation pictures, their true classes, and what ${names} say with their errors`,
    "Of the first complete run of each upsampler. Errors: the truth, faded, with wrong pixels in red.",
  );
}

/** Where in the boundary bands the networks are wrong, and how errors fall with the distance to a boundary. */
export async function boundarySection(predictions: readonly Prediction[], files: ReportFiles): Promise<string> {
  if (predictions.length === 0) return unavailable;
  const { size } = shapes64;
  const { truth } = validationPictures(0, counted);
  const curves = predictions.map(({ label, colour, masks }) => ({
    label,
    colour,
    rates: errorRates(masks, truth, size, size),
  }));
  const shares = predictions.map(
    (prediction) => `${prediction.label} ${(100 * bandErrorRate(prediction)).toFixed(1)} %`,
  );
  return [
    pictureFigure(
      bandStrip(predictions),
      `Boundary bands of ${shownPictures} validation pictures with the wrong pixels of each upsampler`,
      "The bands of the boundary IoU, 2 pixels to each side of a boundary and along the frame: grey where the prediction is right, " +
        `red where it is wrong. Wrong pixels in the bands of ${counted} pictures: ${escapeHtml(shares.join(", "))}.`,
    ),
    await files.chart(
      errorChart(curves),
      `Share of wrong pixels by their distance to the nearest boundary, over ${counted} validation pictures; at 0 are the pixels ` +
        "that touch another class. The frame is no boundary here.",
    ),
  ].join("\n");
}

/** Where each DySample samples at the start, midway and at the end of training; also as points-<label>.svg. */
export async function pointsSection(
  networks: readonly TrainedNetwork[],
  files: ReportFiles,
  folder: string,
): Promise<string> {
  const crop = chooseCrop();
  const figures: string[] = [];
  for (const { label, run } of networks) {
    const image = validationInput(crop.picture, run.config.dtype);
    const drawn: StagePoints[] = [];
    for (const stage of stages) {
      const model = (await networkAt(stage, run, folder))?.model;
      if (!(model instanceof Fpn4 && model.up2 instanceof DySample)) continue;
      const points = await samplingPoints(model.up2, inputOfLast(model, image));
      drawn.push({ title: titleOf(stage, run.config.steps), points });
    }
    if (drawn.length === 0) continue;
    const svg = drawPoints(label, drawn, crop);
    await files.svg(pointsFile(label), svg);
    figures.push(`<h3>${escapeHtml(label)}</h3>\n<figure class="wide">\n${svg}\n</figure>`);
  }
  if (figures.length === 0) return "<p>Drawn for each DySample that has a complete run of the segmentation task.</p>";
  const from = `columns ${crop.x} to ${crop.x + crop.side - 1} and rows ${crop.y} to ${crop.y + crop.side - 1}`;
  return [
    `<p>The last of the three upsamplers, 32x32 to 64x64, on validation picture ${crop.picture}, ${from} of its input. ` +
      "Arrows: from where a point starts, a dot, to where it is, over the picture. Last panel: all points over the pixels of " +
      "the upsampler's input, whose centres are crosses, coloured by group. Means and percentiles are over the whole picture.</p>",
    ...figures,
  ].join("\n");
}

function titleOf(stage: Stage, steps: number): string {
  return { start: "Start", midway: `After ${Math.ceil(steps / 2)} steps`, end: `After ${steps} steps` }[stage];
}

function pictureFigure(picture: Picture, alt: string, caption: string): string {
  const uri = `data:image/png;base64,${Buffer.from(encodePng(picture)).toString("base64")}`;
  const { width, height } = picture;
  return (
    `<figure>\n<div class="wide"><img src="${uri}" width="${width}" height="${height}" alt="${escapeHtml(alt)}"></div>\n` +
    `<figcaption>${caption}</figcaption>\n</figure>`
  );
}
