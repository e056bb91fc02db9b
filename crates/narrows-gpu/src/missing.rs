//! Why there is no device to compute with, and what to do about it.

use std::fmt;

/// Why there is no device to compute with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingGpu {
    /// No driver offers anything.
    NoAdapter,
    /// Drivers offer only what computes on the processor; their names.
    SoftwareOnly(Vec<String>),
    /// A driver offers a device, but does not open it: its name, and the driver's reason.
    Refused(String, String),
}

impl fmt::Display for MissingGpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAdapter => write!(
                f,
                "no graphics processor was found: expected a driver for Vulkan, Metal or Direct3D 12, got none; on Linux, \
                 that is a file in /usr/share/vulkan/icd.d, or in the variable VK_DRIVER_FILES, and the loader libvulkan.so.1"
            ),
            Self::SoftwareOnly(names) => {
                write!(f, "no graphics processor was found: expected one, got {}", names.join(", "))?;
                write!(f, ", which computes on the processor and is slower than the CPU's own executor")
            }
            Self::Refused(name, reason) => write!(f, "{name}: expected it to open, got: {reason}"),
        }
    }
}

impl std::error::Error for MissingGpu {}
