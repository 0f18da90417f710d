//! The guard in VST3: the library's factory, and a COM class around the framework's object.
//!
//! The host never sees the framework's object. Ours has the same interfaces, checks what comes, and
//! calls the framework's by its Rust traits.

mod component;
mod controller;
mod factory;
mod grouping;
mod lists;
mod other;
mod process;
mod processor;
mod stream;

pub use factory::GetPluginFactory;

#[cfg(test)]
mod tests;
