/** @file The factor of x³ in the tanh form of gelu, as Hendrycks and Gimpel fitted it. */

export const geluCubic = 0.044715;
