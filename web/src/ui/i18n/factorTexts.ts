import { defineTexts } from '../../values/i18n'

export const factorTexts = defineTexts({
  en: {
    title: 'Second factor', lead: 'Administrators log in with a code from their phone, too. It takes a minute.', app: 'Open your authenticator app, add an account, and type this key (or open the link on your phone):', openLink: 'Open in the authenticator app',
    recovery: 'Recovery codes', recoveryHint: 'Each works once, should your phone be lost. Print them or keep them where you keep passwords; they are not shown again.', code: 'First code from the app', confirm: 'Switch it on', copyKey: 'Copy the key', copyCodes: 'Copy the codes', kept: 'I have kept the recovery codes', begin: 'Begin',
  },
  de: {
    title: 'Zweiter Faktor', lead: 'Verwalterinnen und Verwalter melden sich zusätzlich mit einem Code vom Telefon an. Es dauert eine Minute.', app: 'Öffnen Sie Ihre Authenticator-App, fügen Sie ein Konto hinzu und tippen Sie diesen Schlüssel ein (oder öffnen Sie den Link auf dem Telefon):', openLink: 'In der Authenticator-App öffnen',
    recovery: 'Wiederherstellungscodes', recoveryHint: 'Jeder gilt einmal, falls das Telefon verloren geht. Drucken Sie sie aus oder bewahren Sie sie bei Ihren Passwörtern auf; sie werden nicht noch einmal gezeigt.', code: 'Erster Code aus der App', confirm: 'Einschalten', copyKey: 'Schlüssel kopieren', copyCodes: 'Codes kopieren', kept: 'Ich habe die Wiederherstellungscodes aufbewahrt', begin: 'Beginnen',
  },
})
