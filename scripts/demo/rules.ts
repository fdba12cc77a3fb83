/**
 * What the providers' replies teach, with the rests cut short: the simulated ISPs forgive after two or three seconds, a real one after hours.
 */
export const DEMO_RULES: Record<string, unknown>[] = []
