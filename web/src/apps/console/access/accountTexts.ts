import { defineTexts } from '../../../values/i18n'

export const accountTexts = defineTexts({
  en: {
    title: 'My account', profile: 'Profile', language: 'Language', saved: 'Saved.', password: 'Password', oldPassword: 'Present password', newPassword: 'New password', passwordHint: 'At least 12 characters. A sentence is easiest to remember.', tooShort: 'At least 12 characters, please.', change: 'Change the password', changed: 'Password changed. Other browsers were signed out.',
    factor: 'Second factor', factorOn: 'You log in with a code from your phone, too.', factorOff: 'A code from your phone keeps your account safe even when somebody learns your password.', setUp: 'Set it up', switchOff: 'Switch it off', switchOffLabel: 'A code from the app, or a recovery code', factorRequired: 'Your role asks for it.', factorDone: 'The second factor is on.', factorGone: 'The second factor is off.',
    sessions: 'Where you are signed in', thisOne: 'this browser', endSession: 'Sign out', rights: 'What you may do',
  },
  de: {
    title: 'Mein Konto', profile: 'Profil', language: 'Sprache', saved: 'Gespeichert.', password: 'Passwort', oldPassword: 'Jetziges Passwort', newPassword: 'Neues Passwort', passwordHint: 'Mindestens 12 Zeichen. Ein Satz ist am leichtesten zu merken.', tooShort: 'Bitte mindestens 12 Zeichen.', change: 'Passwort ändern', changed: 'Passwort geändert. Andere Browser wurden abgemeldet.',
    factor: 'Zweiter Faktor', factorOn: 'Sie melden sich zusätzlich mit einem Code vom Telefon an.', factorOff: 'Ein Code vom Telefon schützt Ihr Konto, auch wenn jemand Ihr Passwort erfährt.', setUp: 'Einrichten', switchOff: 'Ausschalten', switchOffLabel: 'Ein Code aus der App oder ein Wiederherstellungscode', factorRequired: 'Ihre Rolle verlangt ihn.', factorDone: 'Der zweite Faktor ist an.', factorGone: 'Der zweite Faktor ist aus.',
    sessions: 'Wo Sie angemeldet sind', thisOne: 'dieser Browser', endSession: 'Abmelden', rights: 'Was Sie dürfen',
  },
})
