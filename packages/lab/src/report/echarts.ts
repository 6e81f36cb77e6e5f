/** @file The parts of echarts that the charts of a report use. The package as a whole is a hundred times as large. */

import { BarChart, CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GraphicComponent, GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { LabelLayout } from "echarts/features";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, CustomChart, LineChart, ScatterChart]);
use([GraphicComponent, GridComponent, LegendComponent, TitleComponent, LabelLayout, SVGRenderer]);

export { init };
