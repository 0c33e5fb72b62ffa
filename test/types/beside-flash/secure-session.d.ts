export interface SessionData {}
