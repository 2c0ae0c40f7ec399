/** How long a test looks for what must come before it says that it did not. What is there is seen at once. */
export const PATIENCE_MS = 20_000
