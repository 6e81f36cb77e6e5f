/** @file The version of gridgrad: the same for all of its packages. `npm run version` writes it here and into their manifests. */

export const version = "0.1.0";
