// What is asked of the user's OpenTelemetry. Types of our own: those of @opentelemetry/api would have to be installed by
// everybody whose compiler looks at this package.

/** What a measurement or a span says about itself: few names, few values. */
export type TelemetryAttributes = Record<string, string | number | boolean>

/** How an instrument is described. */
export interface InstrumentOptions {
  /** For people. */
  readonly description: string
  /** As UCUM writes it. */
  readonly unit: string
  /** What the instrument suggests to a view. */
  readonly advice?: {
    /** Where the buckets of a histogram end. */
    explicitBucketBoundaries: number[]
  }
}

/** Takes what is seen when it is asked. */
export type GaugeCallback = (result: {
  /** One value. */
  observe (value: number, attributes: TelemetryAttributes): void
}) => void

/** Counts. */
export interface SessionCounter {
  /** Counts on. */
  add (value: number, attributes: TelemetryAttributes): void
}

/** Takes values, and knows how many were how large. */
export interface SessionHistogram {
  /** Takes one. */
  record (value: number, attributes: TelemetryAttributes): void
}

/** Asks for values when somebody looks. */
export interface SessionGauge {
  /** From now on asks this function. */
  addCallback (callback: GaugeCallback): void
  /** Asks it no more. */
  removeCallback (callback: GaugeCallback): void
}

/** A `Meter` of @opentelemetry/api, as far as it is used. */
export interface SessionMeter {
  /** Makes a counter. */
  createCounter (name: string, options: InstrumentOptions): SessionCounter
  /** Makes a histogram. */
  createHistogram (name: string, options: InstrumentOptions): SessionHistogram
  /** Makes a gauge. */
  createObservableGauge (name: string, options: InstrumentOptions): SessionGauge
}

/** A `Span` of @opentelemetry/api, as far as it is used. */
export interface SessionSpan {
  /** Adds to what it says about itself. */
  setAttributes (attributes: TelemetryAttributes): unknown
  /** Code 2 is an error. */
  setStatus (status: { code: 2, message?: string }): unknown
  /** Ends it now. */
  end (): void
}

/** A `Tracer` of @opentelemetry/api, as far as it is used. */
export interface SessionTracer {
  /** Begins a span, as a child of the one that is active. */
  startSpan (name: string, options: { attributes: TelemetryAttributes }): SessionSpan
}
