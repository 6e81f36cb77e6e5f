import { describeTrajectory } from "../testing/describeTrajectory.ts";

describeTrajectory("dysample+");
