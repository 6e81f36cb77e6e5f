import { describeTrajectory } from "../testing/describeTrajectory.ts";

describeTrajectory("bilinear");
