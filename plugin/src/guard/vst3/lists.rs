//! The events and parameter changes of a block, checked and copied: what the framework reads
//! instead of the host's lists.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::ptr::null_mut;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::Event_::EventTypes_::{
    kNoteExpressionValueEvent, kNoteOffEvent, kNoteOnEvent, kPolyPressureEvent,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::NoteExpressionTypeIDs_::{
    kBrightnessTypeID, kExpressionTypeID,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    Event, IEventList, IEventListTrait, IParamValueQueue, IParamValueQueueTrait, IParameterChanges,
    IParameterChangesTrait, ParamID, ParamValue,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    int32, kInvalidArgument, kResultFalse, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComRef, ComWrapper};

use super::super::MOST_READ;

/// Events and points of one call of the framework, which has room for their sum.
const EVENTS: usize = 1024;
const POINTS: usize = 3072;

/// A change of a parameter.
#[derive(Clone, Copy)]
struct Point {
    id: ParamID,
    offset: int32,
    value: ParamValue,
}

/// The times of a block: the first sample to come, and the number of samples.
#[derive(Clone, Copy)]
pub struct Times {
    pub start: usize,
    pub frames: usize,
}

impl Times {
    fn clamp(self, offset: int32) -> int32 {
        let last = self.frames.saturating_sub(1) as int32;
        offset.clamp(0, last).max(self.start as int32)
    }
}

/// Entries in the order of their times, for one call of the framework.
struct Window<T> {
    entries: RefCell<Vec<T>>,
    /// Indices of those that the framework sees, and the time that is its first sample.
    range: Cell<(usize, usize)>,
    start: Cell<int32>,
}

impl<T: Copy> Window<T> {
    fn new(capacity: usize) -> Self {
        Self {
            entries: RefCell::new(Vec::with_capacity(capacity)),
            range: Cell::new((0, 0)),
            start: Cell::new(0),
        }
    }

    /// Adds an entry; `false` when there is no room.
    fn push(&self, entry: T) -> bool {
        let mut entries = self.entries.borrow_mut();
        let room = entries.len() < entries.capacity();
        if room {
            entries.push(entry);
        }
        room
    }

    fn len(&self) -> int32 {
        let (from, to) = self.range.get();
        (to - from) as int32
    }

    fn get(&self, index: int32) -> Option<T> {
        let (from, to) = self.range.get();
        let index = from.checked_add(usize::try_from(index).ok()?)?;
        (index < to).then(|| self.entries.borrow().get(index).copied())?
    }

    /// Shows the entries whose time is in `times`; all of them if that is the whole block.
    fn show(&self, times: Range<usize>, whole: bool, offset: impl Fn(&T) -> int32) {
        let mut entries = self.entries.borrow_mut();
        self.start.set(times.start as int32);
        if whole {
            self.range.set((0, entries.len()));
            return;
        }
        // Stable, and without memory of its own.
        for k in 1..entries.len() {
            let mut at = k;
            while at > 0 && offset(&entries[at - 1]) > offset(&entries[at]) {
                entries.swap(at - 1, at);
                at -= 1;
            }
        }
        let before = |end: usize| entries.partition_point(|e| (offset(e) as usize) < end);
        self.range.set((before(times.start), before(times.end)));
    }

    /// Shows all entries, at the first sample.
    fn show_at_once(&self) {
        self.start.set(int32::MAX);
        self.range.set((0, self.entries.borrow().len()));
    }

    fn clear(&self) {
        self.entries.borrow_mut().clear();
        self.range.set((0, 0));
    }

    fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }
}

/// Note events.
pub struct Events {
    window: Window<Event>,
}

impl Class for Events {
    type Interfaces = (IEventList,);
}

impl Events {
    /// An empty list.
    pub fn new() -> ComWrapper<Self> {
        ComWrapper::new(Self {
            window: Window::new(EVENTS),
        })
    }

    /// Reads the host's list from its `next` event on. Returns whether all of it fitted.
    pub fn read(&self, list: Option<ComRef<'_, IEventList>>, next: &mut u32, times: Times) -> bool {
        let Some(list) = list else {
            return true;
        };
        // SAFETY: a list of the host's.
        let count = unsafe { list.getEventCount() };
        let count = u32::try_from(count).unwrap_or(0).min(MOST_READ);
        while *next < count {
            // SAFETY: all bits of an event may be zero; an index within the list.
            let (result, mut event) = unsafe {
                let mut event: Event = std::mem::zeroed();
                (list.getEvent(*next as int32, &mut event), event)
            };
            if result == kResultOk && prepare(&mut event) {
                event.sampleOffset = times.clamp(event.sampleOffset);
                if !self.window.push(event) {
                    return false;
                }
            }
            *next += 1;
        }
        true
    }

    /// Shows the framework the events in `times`.
    pub fn show(&self, times: Range<usize>, whole: bool) {
        self.window.show(times, whole, |event| event.sampleOffset);
    }

    /// Shows the framework everything at the first sample.
    pub fn show_at_once(&self) {
        self.window.show_at_once();
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.window.clear();
    }
}

/// Whether an event is of a type that the instrument knows; mends what the framework mistakes.
#[allow(clippy::unnecessary_cast)] // The constants' type depends on the system.
fn prepare(event: &mut Event) -> bool {
    const ON: u16 = kNoteOnEvent as u16;
    const OFF: u16 = kNoteOffEvent as u16;
    const PRESSURE: u16 = kPolyPressureEvent as u16;
    const EXPRESSION: u16 = kNoteExpressionValueEvent as u16;
    match event.r#type {
        ON | OFF | PRESSURE => true,
        EXPRESSION => {
            // SAFETY: the type says which event it is.
            let value = unsafe { &mut event.__field0.noteExpressionValue };
            // The framework takes one for the other.
            if value.typeId == kExpressionTypeID as u32 {
                value.typeId = kBrightnessTypeID as u32;
            } else if value.typeId == kBrightnessTypeID as u32 {
                value.typeId = kExpressionTypeID as u32;
            }
            value.value.is_finite()
        }
        // Data (SysEx), texts, chords and scales mean nothing to the instrument.
        _ => false,
    }
}

impl IEventListTrait for Events {
    unsafe fn getEventCount(&self) -> int32 {
        self.window.len()
    }

    unsafe fn getEvent(&self, index: int32, event: *mut Event) -> tresult {
        // SAFETY: the framework's variable, whose value is not yet set.
        match self.window.get(index) {
            Some(mut given) if !event.is_null() => unsafe {
                given.sampleOffset = (given.sampleOffset - self.window.start.get()).max(0);
                event.write(given);
                kResultOk
            },
            _ => kInvalidArgument,
        }
    }

    unsafe fn addEvent(&self, _event: *mut Event) -> tresult {
        kResultFalse
    }
}

/// Reading position in the host's parameter changes.
#[derive(Clone, Copy, Default)]
pub struct Progress {
    queue: u32,
    point: u32,
    /// Points read so far.
    points: u32,
}

/// Parameter changes. To the framework each point is a queue of its own; it looks at one at a time.
pub struct Changes {
    window: Window<Point>,
    /// Index of the point that the framework looks at.
    current: Cell<int32>,
    /// Pointer to this object as a queue.
    queue: Cell<*mut IParamValueQueue>,
}

impl Class for Changes {
    type Interfaces = (IParameterChanges, IParamValueQueue);
}

impl Changes {
    /// An empty list.
    pub fn new() -> ComWrapper<Self> {
        let changes = ComWrapper::new(Self {
            window: Window::new(POINTS),
            current: Cell::new(0),
            queue: Cell::new(null_mut()),
        });
        let queue = changes.as_com_ref::<IParamValueQueue>();
        changes
            .queue
            .set(queue.map_or(null_mut(), |queue| queue.as_ptr()));
        changes
    }

    /// Reads the host's changes from `progress` on, of the parameters that `wanted` takes. Returns
    /// whether all of them fitted.
    pub fn read(
        &self,
        changes: Option<ComRef<'_, IParameterChanges>>,
        progress: &mut Progress,
        times: Times,
        mut wanted: impl FnMut(ParamID, ParamValue) -> bool,
    ) -> bool {
        for_each_point(changes, progress, |id, offset, value| {
            let offset = times.clamp(offset);
            !wanted(id, value) || self.window.push(Point { id, offset, value })
        })
    }

    /// Adds a change at the first sample. Returns whether there was room.
    pub fn add(&self, id: ParamID, value: ParamValue) -> bool {
        self.window.push(Point {
            id,
            offset: 0,
            value,
        })
    }

    /// Shows the framework the points in `times`.
    pub fn show(&self, times: Range<usize>, whole: bool) {
        self.window.show(times, whole, |point| point.offset);
    }

    /// Shows the framework everything at the first sample.
    pub fn show_at_once(&self) {
        self.window.show_at_once();
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.window.clear();
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.window.is_empty()
    }
}

/// Passes the points of a host's changes from `progress` on to `take`, with their values in range,
/// until it refuses one. Returns whether it took all of them.
pub fn for_each_point(
    changes: Option<ComRef<'_, IParameterChanges>>,
    progress: &mut Progress,
    mut take: impl FnMut(ParamID, int32, ParamValue) -> bool,
) -> bool {
    let Some(changes) = changes else {
        return true;
    };
    // SAFETY: lists of the host's, and indices within them.
    unsafe {
        let queues = u32::try_from(changes.getParameterCount()).unwrap_or(0);
        while progress.queue < queues.min(MOST_READ) && progress.points < MOST_READ {
            let queue = ComRef::from_raw(changes.getParameterData(progress.queue as int32));
            if let Some(queue) = queue {
                let id = queue.getParameterId();
                let points = u32::try_from(queue.getPointCount()).unwrap_or(0);
                while progress.point < points && progress.points < MOST_READ {
                    let (mut offset, mut value) = (0, f64::NAN);
                    let index = progress.point as int32;
                    let read = queue.getPoint(index, &mut offset, &mut value) == kResultOk;
                    let value = value.clamp(0.0, 1.0);
                    if read && value.is_finite() && !take(id, offset, value) {
                        return false;
                    }
                    progress.point += 1;
                    progress.points += 1;
                }
            }
            progress.queue += 1;
            progress.point = 0;
        }
    }
    true
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> int32 {
        self.window.len()
    }

    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        self.current.set(index);
        self.queue.get()
    }

    unsafe fn addParameterData(
        &self,
        _id: *const ParamID,
        _index: *mut int32,
    ) -> *mut IParamValueQueue {
        null_mut()
    }
}

impl IParamValueQueueTrait for Changes {
    unsafe fn getParameterId(&self) -> ParamID {
        self.window
            .get(self.current.get())
            .map_or(ParamID::MAX, |point| point.id)
    }

    unsafe fn getPointCount(&self) -> int32 {
        int32::from(self.window.get(self.current.get()).is_some())
    }

    unsafe fn getPoint(&self, index: int32, offset: *mut int32, value: *mut ParamValue) -> tresult {
        // SAFETY: the framework's variables.
        unsafe {
            let to = (offset.as_mut(), value.as_mut());
            match (index, self.window.get(self.current.get()), to) {
                (0, Some(point), (Some(offset), Some(value))) => {
                    *offset = (point.offset - self.window.start.get()).max(0);
                    *value = point.value;
                    kResultOk
                }
                _ => kInvalidArgument,
            }
        }
    }

    unsafe fn addPoint(&self, _offset: int32, _value: ParamValue, _index: *mut int32) -> tresult {
        kResultFalse
    }
}
