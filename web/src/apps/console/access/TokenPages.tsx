export function AcceptInvitationPage() { return <h1>x</h1> }
export function ForgotPasswordPage() { return <h1>x</h1> }
export function ResetPasswordPage() { return <h1>x</h1> }
