import { defineTexts } from '../../../values/i18n'

export const setupTexts = defineTexts({
  en: {
    title: 'Set up Onhand', slogan: 'From an empty page to the first sale in under ten minutes.', business: 'Your business', businessLead: 'Name, money and clock. You can change all of it later.', organisation: 'Name of the business', currency: 'Currency', language: 'Language', timeZone: 'Time zone',
    you: 'You', youLead: 'You will be the first administrator.', yourName: 'Your name', password: 'Password', passwordHint: 'At least 12 characters. A sentence is easiest to remember.', tooShort: 'At least 12 characters, please.',
    factor: 'Second factor', factorLead: 'Administrators log in with a code from their phone, too. It takes a minute.',
    places: 'Places', placesLead: 'Each shop and each warehouse. Shelves and bins can come later.', addPlace: 'Add a place', taxes: 'Taxes', taxesLead: 'The rates you charge. Leave the list empty if you charge none.', addTax: 'Add a rate', rate: 'Rate in %', badRate: 'Please type a rate such as 19 or 7.5.',
    people: 'People', peopleLead: 'Each gets an invitation by e-mail. You can do this later, too.', addPerson: 'Add a person', role: 'Role', invited: { one: '{count} invitation sent', other: '{count} invitations sent' },
    products: 'Products', productsLead: 'Type a few by hand to begin, or import a whole file.', addProduct: 'Add a product', price: 'Price', opening: 'In stock now', at: 'Lying at', importInstead: 'Import a file instead', openingNote: 'Opening stock',
    sale: 'First sale', saleLead: 'Sell one, and watch the stock change. It is a real sale; you can void it afterwards.', sell: 'Sell one', sold: 'Sold. On hand at {site} went from {before} to {after}.', noProduct: 'Add a product first, or finish here and come back after the import.',
    finish: 'Finish', skip: 'Skip this step', saveGo: 'Save and go on', step: 'Step {count} of {total}', saved: { one: '{count} saved', other: '{count} saved' }, alreadyDone: 'Onhand is set up.', toLogin: 'To the login', resume: 'Setting up is not finished.', resumeGo: 'Go on', incomplete: 'Please fill in code and name, or remove the line.', badNumber: 'Please type a number.',
    register: 'Till {code}', removeLine: 'Remove line {count}',
  },
  de: {
    title: 'Onhand einrichten', slogan: 'Von der leeren Seite zum ersten Verkauf in unter zehn Minuten.', business: 'Ihr Betrieb', businessLead: 'Name, Geld und Uhr. Alles lässt sich später ändern.', organisation: 'Name des Betriebs', currency: 'Währung', language: 'Sprache', timeZone: 'Zeitzone',
    you: 'Sie', youLead: 'Sie werden die erste Verwalterin oder der erste Verwalter.', yourName: 'Ihr Name', password: 'Passwort', passwordHint: 'Mindestens 12 Zeichen. Ein Satz ist am leichtesten zu merken.', tooShort: 'Bitte mindestens 12 Zeichen.',
    factor: 'Zweiter Faktor', factorLead: 'Verwalterinnen und Verwalter melden sich zusätzlich mit einem Code vom Telefon an. Es dauert eine Minute.',
    places: 'Orte', placesLead: 'Jede Filiale und jedes Lager. Regale und Fächer können später kommen.', addPlace: 'Ort hinzufügen', taxes: 'Steuern', taxesLead: 'Die Sätze, die Sie berechnen. Lassen Sie die Liste leer, wenn Sie keine berechnen.', addTax: 'Satz hinzufügen', rate: 'Satz in %', badRate: 'Bitte einen Satz wie 19 oder 7,5 eingeben.',
    people: 'Personen', peopleLead: 'Alle bekommen eine Einladung per E-Mail. Das geht auch später.', addPerson: 'Person hinzufügen', role: 'Rolle', invited: { one: '{count} Einladung gesendet', other: '{count} Einladungen gesendet' },
    products: 'Produkte', productsLead: 'Tippen Sie für den Anfang einige ein, oder importieren Sie eine ganze Datei.', addProduct: 'Produkt hinzufügen', price: 'Preis', opening: 'Jetzt vorhanden', at: 'Liegt in', importInstead: 'Stattdessen eine Datei importieren', openingNote: 'Anfangsbestand',
    sale: 'Erster Verkauf', saleLead: 'Verkaufen Sie ein Stück und sehen Sie zu, wie sich der Bestand ändert. Es ist ein echter Verkauf; Sie können ihn danach stornieren.', sell: 'Eines verkaufen', sold: 'Verkauft. Der Bestand in {site} ging von {before} auf {after}.', noProduct: 'Legen Sie zuerst ein Produkt an, oder schließen Sie hier ab und kommen nach dem Import wieder.',
    finish: 'Abschließen', skip: 'Schritt überspringen', saveGo: 'Speichern und weiter', step: 'Schritt {count} von {total}', saved: { one: '{count} gespeichert', other: '{count} gespeichert' }, alreadyDone: 'Onhand ist eingerichtet.', toLogin: 'Zur Anmeldung', resume: 'Die Einrichtung ist noch nicht abgeschlossen.', resumeGo: 'Weitermachen', incomplete: 'Bitte Code und Name ausfüllen, oder die Zeile entfernen.', badNumber: 'Bitte eine Zahl eingeben.',
    register: 'Kasse {code}', removeLine: 'Zeile {count} entfernen',
  },
})
