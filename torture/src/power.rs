//! A disk whose power can be cut: an ext4 image on a loop device, shut down without flushing its log.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Size of the image, in MiB.
const SIZE_MIB: u64 = 256;

/// `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH` (fs/ext4/ext4.h): from here on nothing reaches the disk, and what its log
/// had not yet is lost, as when the power goes.
const SHUTDOWN: &str = "\
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))
";

/// A mounted image. Unmounted when dropped.
#[derive(Debug)]
pub struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    /// Makes an image in `folder` and mounts it.
    ///
    /// # Errors
    /// What is missing here: root, loop devices, ext4, python3.
    pub fn make(folder: &Path) -> Result<Self, String> {
        let disk = Self { image: folder.join("disk.img"), mount: folder.join("disk") };
        if !rustix::process::geteuid().is_root() {
            return Err("only root can mount an image".into());
        }
        run("python3", &["-c", "import fcntl"])?;
        std::fs::create_dir_all(&disk.mount).map_err(|error| error.to_string())?;
        let image = std::fs::File::create(&disk.image).map_err(|error| error.to_string())?;
        image.set_len(SIZE_MIB * 1024 * 1024).map_err(|error| error.to_string())?;
        run("mkfs.ext4", &["-q", "-F", &disk.image.to_string_lossy()])?;
        disk.mount()?;
        Ok(disk)
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.mount
    }

    fn mount(&self) -> Result<(), String> {
        run("mount", &["-o", "loop", &self.image.to_string_lossy(), &self.mount.to_string_lossy()])
    }

    /// Cuts the power. What was not synced is lost, and every later write fails.
    ///
    /// # Errors
    /// Where the file system does not know the call.
    pub fn cut(&self) -> Result<(), String> {
        run("python3", &["-c", SHUTDOWN, &self.mount.to_string_lossy()])
    }

    /// Unmounts it and mounts it again, which replays the log. Nobody may have a file open.
    ///
    /// # Errors
    /// Where it is still in use, or does not come back.
    pub fn restore(&self) -> Result<(), String> {
        run("umount", &[&self.mount.to_string_lossy()])?;
        self.mount()
    }

    /// Mounts it so that nothing can be written, or so that it can be again.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn read_only(&self, read_only: bool) -> Result<(), String> {
        let options = if read_only { "remount,ro" } else { "remount,rw" };
        run("mount", &["-o", options, &self.mount.to_string_lossy()])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whoever still has it open lets go of it sooner or later.
        let _ = run("umount", &["-l", &self.mount.to_string_lossy()]);
    }
}

/// Mounts a small file system in memory.
///
/// # Errors
/// Where only root could.
pub fn tmpfs(at: &Path, mib: u64) -> Result<Tmpfs, String> {
    std::fs::create_dir_all(at).map_err(|error| error.to_string())?;
    run("mount", &["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs", &at.to_string_lossy()])?;
    Ok(Tmpfs(at.to_owned()))
}

/// A file system in memory. Unmounted when dropped.
#[derive(Debug)]
pub struct Tmpfs(PathBuf);

impl Tmpfs {
    /// Makes it larger or smaller.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn resize(&self, mib: u64) -> Result<(), String> {
        run("mount", &["-o", &format!("remount,size={mib}m"), &self.0.to_string_lossy()])
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = run("umount", &["-l", &self.0.to_string_lossy()]);
    }
}

/// Runs a program of the system.
///
/// # Errors
/// What it said.
pub fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {} {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
}

/// A test that needs more than there is here says so loudly; where `SWITCHYARD_REQUIRE` names it, it fails.
///
/// # Panics
/// Where it is required.
pub fn skipped(what: &str, reason: &str) {
    let required = std::env::var("SWITCHYARD_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name == what), "{what} is required, and cannot be had: {reason}");
    println!("SKIPPED: {what}: {reason}");
    eprintln!("SKIPPED: {what}: {reason}");
}
