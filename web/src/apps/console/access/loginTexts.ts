import { defineTexts } from '../../../values/i18n'

export const loginTexts = defineTexts({
  en: {
    title: 'Log in', lead: 'Stock you can trust, in every place, this second.', password: 'Password', code: 'Code from your authenticator app', codeHint: 'Six digits, or a recovery code', submit: 'Log in',
    forgot: 'Forgot your password?', inviteTitle: 'Welcome', inviteLead: 'Choose a name and a password to finish your invitation.', yourName: 'Your name', newPassword: 'New password',
    passwordHint: 'At least 12 characters. A sentence is easiest to remember.', tooShort: 'At least 12 characters, please.', start: 'Start', forgotTitle: 'Reset your password', forgotLead: 'We send you a link if the address is known.',
    sendLink: 'Send the link', linkSent: 'If the address is known, a link is on its way. It works for a short time only.', resetTitle: 'Choose a new password', resetDone: 'Your password is changed. You can log in now.',
    toLogin: 'To the login', noToken: 'This link is incomplete. Open it again from the e-mail.', demo: 'This is a demo: the logins were printed where it was started.',
  },
  de: {
    title: 'Anmelden', lead: 'Bestand, auf den Verlass ist: überall, in dieser Sekunde.', password: 'Passwort', code: 'Code aus Ihrer Authenticator-App', codeHint: 'Sechs Ziffern, oder ein Wiederherstellungscode', submit: 'Anmelden',
    forgot: 'Passwort vergessen?', inviteTitle: 'Willkommen', inviteLead: 'Wählen Sie Namen und Passwort, um die Einladung abzuschließen.', yourName: 'Ihr Name', newPassword: 'Neues Passwort',
    passwordHint: 'Mindestens 12 Zeichen. Ein Satz ist am leichtesten zu merken.', tooShort: 'Bitte mindestens 12 Zeichen.', start: 'Loslegen', forgotTitle: 'Passwort zurücksetzen', forgotLead: 'Wir senden einen Link, wenn die Adresse bekannt ist.',
    sendLink: 'Link senden', linkSent: 'Wenn die Adresse bekannt ist, ist ein Link unterwegs. Er gilt nur kurze Zeit.', resetTitle: 'Neues Passwort wählen', resetDone: 'Ihr Passwort ist geändert. Sie können sich jetzt anmelden.',
    toLogin: 'Zur Anmeldung', noToken: 'Dieser Link ist unvollständig. Bitte öffnen Sie ihn noch einmal aus der E-Mail.', demo: 'Das ist eine Demo: Die Zugänge wurden dort ausgegeben, wo sie gestartet wurde.',
  },
})
