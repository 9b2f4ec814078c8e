import { defineTexts } from '../../../values/i18n'

export const eventTexts = defineTexts({
  en: {
    title: 'Events', lead: 'The one ordered feed of everything that happened; what other programs read.', type: 'Type', allTypes: 'All types', after: 'After number', read: 'Read', older: 'Read on', newest: 'Newest', live: 'Follow live', sequence: 'No.', subject: 'About', happened: 'Happened', recorded: 'Recorded', payload: 'The event', schema: 'Schema of {type}', sample: 'Read it by curl', none: 'No events here', noneHint: 'Nothing of this kind was recorded after that number, or you may not see it.',
    gapTitle: 'Gap check', gapHint: 'Reads the feed page by page: each page must begin where the one before ended, and no number may come twice.', gapRun: 'Check the last {count} numbers', gapRunning: 'Checking …', gapOk: { one: 'No gap: {count} page, from {after} through {through}, {seen} events you may see.', other: 'No gap: {count} pages, from {after} through {through}, {seen} events you may see.' }, gapBad: 'A gap: a page began after {after}, but the one before ended at {through}.', gapOrder: 'Out of order at {at}.', head: 'The feed ends at {head}.', event: 'Event {sequence}', badNumber: 'Please type a whole number.', showing: 'From {after} through {through}', waiting: 'Waiting for news …', at: 'Read up to', key: 'Partition key',
  },
  de: {
    title: 'Ereignisse', lead: 'Die eine geordnete Folge von allem, was geschah; das lesen andere Programme.', type: 'Art', allTypes: 'Alle Arten', after: 'Nach Nummer', read: 'Lesen', older: 'Weiterlesen', newest: 'Neueste', live: 'Live folgen', sequence: 'Nr.', subject: 'Betrifft', happened: 'Geschehen', recorded: 'Erfasst', payload: 'Das Ereignis', schema: 'Schema von {type}', sample: 'Mit curl lesen', none: 'Hier sind keine Ereignisse', noneHint: 'Nach dieser Nummer wurde nichts dieser Art erfasst, oder Sie dürfen es nicht sehen.',
    gapTitle: 'Lückenprüfung', gapHint: 'Liest die Folge Seite für Seite: Jede Seite muss beginnen, wo die vorige endete, und keine Nummer darf zweimal kommen.', gapRun: 'Die letzten {count} Nummern prüfen', gapRunning: 'Wird geprüft …', gapOk: { one: 'Keine Lücke: {count} Seite, von {after} bis {through}, {seen} Ereignisse, die Sie sehen dürfen.', other: 'Keine Lücke: {count} Seiten, von {after} bis {through}, {seen} Ereignisse, die Sie sehen dürfen.' }, gapBad: 'Eine Lücke: Eine Seite begann nach {after}, aber die vorige endete bei {through}.', gapOrder: 'Falsche Folge bei {at}.', head: 'Die Folge endet bei {head}.', event: 'Ereignis {sequence}', badNumber: 'Bitte eine ganze Zahl eingeben.', showing: 'Von {after} bis {through}', waiting: 'Warte auf Neues …', at: 'Gelesen bis', key: 'Partitionsschlüssel',
  },
})

export const auditTexts = defineTexts({
  en: {
    title: 'Audit', lead: 'Who changed what and when, field by field. Nothing here can be changed.', at: 'When', action: 'Action', entity: 'What', changes: 'Fields', ip: 'Address', request: 'Request', requestId: 'Request id', before: 'Before', after: 'After', field: 'Field', from: 'From', to: 'Until', entry: 'Audit entry', none: 'Nothing was changed yet', searchHint: 'Name, action or id', noFields: 'No fields were changed.', kind: 'Kind of thing', open: 'Open it',
  },
  de: {
    title: 'Protokoll', lead: 'Wer was wann geändert hat, Feld für Feld. Hier lässt sich nichts ändern.', at: 'Wann', action: 'Handlung', entity: 'Was', changes: 'Felder', ip: 'Adresse', request: 'Anfrage', requestId: 'Anfrage-Id', before: 'Vorher', after: 'Nachher', field: 'Feld', from: 'Von', to: 'Bis', entry: 'Protokolleintrag', none: 'Es wurde noch nichts geändert', searchHint: 'Name, Handlung oder Id', noFields: 'Es wurden keine Felder geändert.', kind: 'Art der Sache', open: 'Öffnen',
  },
})
