//! What is sent: one message per flag set and served set, made once and shared by all streams.

use super::grpc::{FlagsResponse, frame};
use crate::compile;
use bytes::Bytes;
use parking_lot::Mutex;
use rein_core::doorway::{Flag, Served};
use rein_domain::name::{ServiceName, SwitchName};
use rein_domain::proof::Serial;
use ring::digest::{SHA256, digest};
use std::collections::HashMap;
use std::sync::Arc;

/// A flag set, ready to send.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    /// The newest served set of which these are the bytes.
    pub(super) serial: Serial,
    /// Of the bytes: equal means the client already holds them.
    pub(super) digest: [u8; 32],
    /// The framed message.
    pub(super) frame: Bytes,
}

/// Makes sheets.
#[derive(Debug, Default)]
pub(crate) struct Press {
    state: Mutex<Pressed>,
}

#[derive(Debug, Default)]
struct Pressed {
    serial: Serial,
    /// By service; `None` is every flag.
    sheets: HashMap<Option<ServiceName>, Sheet>,
    /// Flags as JSON. A flip alters one of hundreds.
    flags: HashMap<SwitchName, (Arc<Flag>, Arc<str>)>,
}

impl Press {
    /// The flags of one service, or all of them, as served.
    pub(super) fn sheet(&self, set: Option<&ServiceName>, served: &Served) -> Sheet {
        let mut state = self.state.lock();
        if state.serial > served.serial {
            // The asker is behind by one wake-up. It will come again; what it gets is newer still.
            if let Some(sheet) = state.sheets.get(&set.cloned()) {
                return sheet.clone();
            }
        } else {
            state.turn_to(served);
        }
        if let Some(sheet) = state.sheets.get(&set.cloned())
            && sheet.serial >= served.serial
        {
            return sheet.clone();
        }
        let text = state.spell(set, served);
        let frame = frame(&FlagsResponse { flag_configuration: text });
        let mut print = [0; 32];
        print.copy_from_slice(digest(&SHA256, &frame).as_ref());
        let mut sheet = Sheet { serial: served.serial, digest: print, frame };
        let known = set.is_none_or(|service| served.flags.keys().any(|name| name.service() == service));
        let before = state.sheets.get(&set.cloned());
        if let Some(before) = before.filter(|before| before.digest == print) {
            // One buffer, also across sets that do not differ here.
            sheet.frame = before.frame.clone();
        }
        // Selectors are the clients' words: only services that exist are remembered.
        if known && state.serial <= served.serial {
            state.sheets.insert(set.cloned(), sheet.clone());
        }
        sheet
    }
}

impl Pressed {
    fn turn_to(&mut self, served: &Served) {
        if self.serial == served.serial {
            return;
        }
        self.serial = served.serial;
        self.flags.retain(|name, _| served.flags.contains_key(name));
        self.sheets.retain(|set, _| {
            set.as_ref().is_none_or(|service| served.flags.keys().any(|name| name.service() == service))
        });
    }

    fn spell(&mut self, set: Option<&ServiceName>, served: &Served) -> String {
        let mut out = String::from(r#"{"flags":{"#);
        let chosen = served.flags.iter().filter(|(name, _)| set.is_none_or(|s| s == name.service()));
        for (at, (name, flag)) in chosen.enumerate() {
            if at > 0 {
                out.push(',');
            }
            // Names are made of characters that JSON takes as they are.
            out.push('"');
            out.push_str(&name.flag_key());
            out.push_str("\":");
            out.push_str(&self.flag(name, flag));
        }
        out.push_str(r#"},"metadata":{"#);
        if let Some(service) = set {
            out.push_str(r#""flagSetId":""#);
            out.push_str(service.as_str());
            out.push('"');
        }
        out.push_str("}}");
        out
    }

    fn flag(&mut self, name: &SwitchName, flag: &Arc<Flag>) -> Arc<str> {
        if let Some((of, text)) = self.flags.get(name)
            && (Arc::ptr_eq(of, flag) || of == flag)
        {
            return Arc::clone(text);
        }
        let text: Arc<str> = compile::flagd::flag(flag).to_string().into();
        self.flags.insert(name.clone(), (Arc::clone(flag), Arc::clone(&text)));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::samples;
    use rein_domain::layer::Stack;
    use rein_domain::switch::Setting;

    fn served(serial: Serial, order: Vec<rein_domain::layer::Layer>) -> Served {
        let stack = |layers| Stack { base: Setting::On, protects: Setting::Off, layers };
        let flags = [("order/x", stack(order)), ("payment/y", stack(Vec::new()))];
        Served {
            serial,
            flags: flags
                .into_iter()
                .map(|(name, stack)| (name.parse().unwrap(), Arc::new(samples::flag(name, stack))))
                .collect(),
            ..Served::nothing()
        }
    }

    #[test]
    fn a_set_is_made_once_and_others_flips_leave_its_bytes_alone() {
        let press = Press::default();
        let payment: ServiceName = "payment".parse().unwrap();
        let first = served(1, Vec::new());
        let (all, own) = (press.sheet(None, &first), press.sheet(Some(&payment), &first));
        assert_eq!(press.sheet(None, &first).frame.as_ptr(), all.frame.as_ptr());
        let second = served(2, vec![samples::hold(1, 1_900_000_000_000)]);
        assert_ne!(press.sheet(None, &second).digest, all.digest);
        let still = press.sheet(Some(&payment), &second);
        assert_eq!((still.serial, still.digest), (2, own.digest));
        assert_eq!(still.frame.as_ptr(), own.frame.as_ptr(), "one buffer");
        let late = press.sheet(None, &first);
        assert_eq!(late.serial, 2, "never older than what others got");
    }

    #[test]
    fn unknown_services_get_an_empty_set_and_are_not_remembered() {
        let press = Press::default();
        let served = served(1, Vec::new());
        for n in 0..100 {
            let sheet = press.sheet(Some(&format!("s{n}").parse().unwrap()), &served);
            assert!(
                sheet
                    .frame
                    .ends_with(format!(r#"{{"flags":{{}},"metadata":{{"flagSetId":"s{n}"}}}}"#).as_bytes())
            );
        }
        assert!(press.state.lock().sheets.is_empty());
    }
}
