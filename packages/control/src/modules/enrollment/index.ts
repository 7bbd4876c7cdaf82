/** Enrollment: invitations, the device CA, directory entries, revocation. Owns the tables of 0003-enrollment.sql. */
export type { IssuedChain } from './device-ca.ts';
export { createEnrollment, type Enrollment, type EnrollmentDeps } from './enrollment.ts';

export { registerDeviceEnrollment, registerEnrollmentRoutes } from './enrollment-routes.ts';
