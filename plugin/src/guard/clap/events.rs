//! The events of a block, checked and copied: what the framework reads instead of the host's list.

use std::mem::size_of;
use std::ptr::null;

use clap_sys::events::*;

use super::super::MOST_READ;

/// Events of one piece of a block. The framework has room for four times as many.
const CAPACITY: usize = 1024;

/// An event of a known type.
#[derive(Clone, Copy)]
#[repr(C)]
pub union Event {
    header: clap_event_header,
    note: clap_event_note,
    expression: clap_event_note_expression,
    value: clap_event_param_value,
    modulation: clap_event_param_mod,
    midi: clap_event_midi,
    transport: clap_event_transport,
    gesture: clap_event_param_gesture,
}

impl Event {
    /// A copy of an event of the host's; `None` for one that is malformed or of no use here.
    ///
    /// # Safety
    /// An event that is not null is as large as its header says.
    unsafe fn read(event: *const clap_event_header) -> Option<Self> {
        if event.is_null() {
            return None;
        }
        // SAFETY: every event begins with its header.
        let header = unsafe { *event };
        if header.space_id != CLAP_CORE_EVENT_SPACE_ID {
            return None;
        }
        // SAFETY: no larger than the header says.
        unsafe {
            let copy = match header.type_ {
                CLAP_EVENT_NOTE_ON | CLAP_EVENT_NOTE_OFF | CLAP_EVENT_NOTE_CHOKE => Self {
                    note: sized(event)?,
                },
                CLAP_EVENT_NOTE_EXPRESSION => Self {
                    expression: sized(event)?,
                },
                CLAP_EVENT_PARAM_VALUE => Self {
                    value: sized(event)?,
                },
                CLAP_EVENT_PARAM_MOD => Self {
                    modulation: sized(event)?,
                },
                CLAP_EVENT_TRANSPORT => Self {
                    transport: sized(event)?,
                },
                CLAP_EVENT_MIDI => {
                    let mut midi: clap_event_midi = sized(event)?;
                    if midi.data[0] < 0x80 {
                        return None;
                    }
                    midi.data[1] &= 0x7f;
                    midi.data[2] &= 0x7f;
                    Self { midi }
                }
                // SysEx means nothing to the instrument.
                _ => return None,
            };
            Some(copy)
        }
    }

    /// A copy of an event of the framework's for the host; `None` for a type that it doesn't send.
    ///
    /// # Safety
    /// The event is as large as its header says.
    pub unsafe fn read_output(event: *const clap_event_header) -> Option<Self> {
        // SAFETY: see above.
        unsafe {
            Some(match (*event).type_ {
                CLAP_EVENT_NOTE_END => Self {
                    note: sized(event)?,
                },
                CLAP_EVENT_PARAM_VALUE => Self {
                    value: sized(event)?,
                },
                CLAP_EVENT_PARAM_GESTURE_BEGIN | CLAP_EVENT_PARAM_GESTURE_END => Self {
                    gesture: sized(event)?,
                },
                _ => return None,
            })
        }
    }

    /// Moves the event by `samples`.
    pub fn delay(&mut self, samples: u32) {
        let time = self.header().time;
        self.set_time(time.saturating_add(samples));
    }

    /// Header that every event begins with.
    pub fn header(&self) -> &clap_event_header {
        // SAFETY: every event begins with its header.
        unsafe { &self.header }
    }

    fn set_time(&mut self, time: u32) {
        self.header.time = time;
    }

    /// The value of a parameter, with the parameter's id.
    pub fn value(&mut self) -> Option<(u32, &mut f64)> {
        // SAFETY: the type says which event it is.
        (self.header().type_ == CLAP_EVENT_PARAM_VALUE).then(|| unsafe {
            let event = &mut self.value;
            (event.param_id, &mut event.value)
        })
    }

    /// The song's position, if it is such an event.
    pub fn transport(&mut self) -> Option<&mut clap_event_transport> {
        match self.header().type_ {
            // SAFETY: the type says which event it is.
            CLAP_EVENT_TRANSPORT => Some(unsafe { &mut self.transport }),
            _ => None,
        }
    }

    /// The modulation of a parameter, for one note or for all.
    pub fn modulation(&mut self) -> Option<&mut clap_event_param_mod> {
        match self.header().type_ {
            // SAFETY: the type says which event it is.
            CLAP_EVENT_PARAM_MOD => Some(unsafe { &mut self.modulation }),
            _ => None,
        }
    }

    /// Whether it modulates a parameter for all notes.
    fn modulates_all(&mut self) -> bool {
        self.modulation().is_some_and(|m| m.note_id == -1)
    }

    /// Whether it sets or modulates a parameter, and not only for a note.
    pub fn is_parameter(&mut self) -> bool {
        self.header().type_ == CLAP_EVENT_PARAM_VALUE || self.modulates_all()
    }
}

/// A copy of the event, which must be as large as its type.
///
/// # Safety
/// The event is as large as its header says, and `T` is its type.
unsafe fn sized<T: Copy>(event: *const clap_event_header) -> Option<T> {
    // SAFETY: see above.
    unsafe {
        let fits = (*event).size as usize >= size_of::<T>();
        fits.then(|| event.cast::<T>().read_unaligned())
    }
}

/// Reads a host's list from its beginning to its end.
pub struct Reader {
    list: *const clap_input_events,
    next: u32,
    count: u32,
}

impl Reader {
    /// A reader of `list`, which may be null.
    ///
    /// # Safety
    /// A list that is not null stays valid while the reader is used.
    pub unsafe fn new(list: *const clap_input_events) -> Self {
        // SAFETY: see above.
        let count = unsafe {
            match list.as_ref() {
                Some(l) if l.get.is_some() => l.size.map_or(0, |size| size(list)),
                _ => 0,
            }
        };
        Self {
            list,
            next: 0,
            count: count.min(MOST_READ),
        }
    }

    /// The next event that is of use, without taking it.
    pub fn peek(&mut self) -> Option<Event> {
        while self.next < self.count {
            // SAFETY: see `new`; the index is within the list.
            let event = unsafe {
                let get = (*self.list).get?;
                Event::read(get(self.list, self.next))
            };
            if event.is_some() {
                return event;
            }
            self.next += 1;
        }
        None
    }

    /// Consumes the event that was last peeked at.
    pub fn take(&mut self) {
        self.next += 1;
    }
}

/// Data that the callbacks of our event list read.
struct View {
    events: *const Event,
    len: usize,
}

impl View {
    /// A list of the events, as long as this stays where it is.
    fn as_list(&self) -> clap_input_events {
        clap_input_events {
            ctx: (&raw const *self).cast_mut().cast(),
            size: Some(size),
            get: Some(get),
        }
    }
}

/// Calls `read` with a list of one event, which counts at once: its time may be past an empty
/// block's end.
pub fn with_single<R>(mut event: Event, read: impl FnOnce(*const clap_input_events) -> R) -> R {
    event.set_time(0);
    let view = View {
        events: &event,
        len: 1,
    };
    read(&view.as_list())
}

/// The events of one piece of a block, at its start those that wait since an earlier block. Has to
/// stay where it is while the framework reads it.
pub struct Events {
    list: clap_input_events,
    view: View,
    events: Vec<Event>,
    /// Time of the last event read of the block.
    last: u32,
}

impl Events {
    /// An empty list.
    pub fn new() -> Box<Self> {
        let view = View {
            events: null(),
            len: 0,
        };
        Box::new(Self {
            list: view.as_list(),
            view,
            events: Vec::with_capacity(CAPACITY),
            last: 0,
        })
    }

    /// The list for the framework, to be read before this is changed.
    pub fn as_list(&mut self) -> *const clap_input_events {
        self.view = View {
            events: self.events.as_ptr(),
            len: self.events.len(),
        };
        self.list = self.view.as_list();
        &raw const self.list
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub fn clear(&mut self) {
        self.events.clear();
    }

    /// Prepares for a new block.
    pub fn begin(&mut self) {
        self.last = 0;
    }

    /// Keeps an event for the next piece's first sample. Returns whether there was room.
    pub fn keep(&mut self, mut event: Event) -> bool {
        event.set_time(0);
        let room = self.events.len() < CAPACITY;
        if room {
            self.events.push(event);
        }
        room
    }

    /// Takes the events due before `end` for a piece of the block that begins at `start`; `adjust`
    /// gets each with its time within the piece. Times ascend, and none is past the block's
    /// `frames`. Returns where the piece has to end, so that all that are due fit.
    pub fn fill(
        &mut self,
        reader: &mut Reader,
        (start, end, frames): (usize, usize, usize),
        mut adjust: impl FnMut(&mut Event),
    ) -> usize {
        while let Some(mut event) = reader.peek() {
            let time = event
                .header()
                .time
                .min(frames.saturating_sub(1) as u32)
                .max(self.last);
            if time as usize >= end {
                break;
            }
            // The instance learns of modulation from the guard, piece by piece.
            if event.modulates_all() && time as usize > start {
                return time as usize;
            }
            if self.events.len() == CAPACITY {
                return (time as usize).clamp(start + 1, end);
            }
            reader.take();
            self.last = time;
            event.set_time(time.saturating_sub(start as u32));
            adjust(&mut event);
            self.events.push(event);
        }
        end
    }

    /// The last change of the song's position among the events.
    pub fn last_transport(&mut self) -> Option<clap_event_transport> {
        self.events
            .iter_mut()
            .rev()
            .find_map(|event| event.transport().copied())
    }
}

unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
    // SAFETY: called by the framework with the list of a `View` in place.
    unsafe { (*(*list).ctx.cast::<View>()).len as u32 }
}

unsafe extern "C" fn get(list: *const clap_input_events, index: u32) -> *const clap_event_header {
    // SAFETY: called by the framework with the list of a `View` in place.
    unsafe {
        let view = &*(*list).ctx.cast::<View>();
        if (index as usize) < view.len {
            view.events.add(index as usize).cast()
        } else {
            null()
        }
    }
}

/// The song's position at a piece's first sample, from an event within it: the framework takes
/// an event's position for the first sample's and counts on from there.
pub fn rewind(event: &mut Event, rate: f64) {
    let samples = f64::from(event.header().time);
    if let Some(transport) = event.transport() {
        advance(transport, -samples / rate);
    }
}

/// Moves the song's position by `seconds`, where it is known together with the tempo.
pub fn advance(transport: &mut clap_event_transport, seconds: f64) {
    const ONE: f64 = (1u64 << 31) as f64;
    if transport.flags & CLAP_TRANSPORT_HAS_TEMPO == 0 || !transport.tempo.is_finite() {
        return;
    }
    let beats = seconds / 60.0 * transport.tempo;
    let moved = |position: i64, by: f64| position.saturating_add((by * ONE).round() as i64);
    transport.song_pos_beats = moved(transport.song_pos_beats, beats);
    transport.song_pos_seconds = moved(transport.song_pos_seconds, seconds);
}
