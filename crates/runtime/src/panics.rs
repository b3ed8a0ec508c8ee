//! Panics in the log, without what may be of a patient.

use std::panic::PanicHookInfo;

/// Logs place and, when it is a literal of the source, message of every panic. A formatted message may hold the value
/// that surprised us, so it is withheld.
pub(crate) fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        tracing::error!(place, message = shown(info), "panic");
    }));
}

fn shown(info: &PanicHookInfo<'_>) -> &'static str {
    info.payload().downcast_ref::<&'static str>().copied().unwrap_or("(formatted message withheld)")
}
