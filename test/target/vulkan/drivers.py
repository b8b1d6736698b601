"""Vulkan drivers that need no GPU, the validation layer's modes, and the least that a device may offer."""
import glob
import json
import os

# Debian's own lavapipe (installed), a newer one and SwiftShader (.ci/vulkan-drivers).
DRIVERS = ("lavapipe-22", "lavapipe-25", "swiftshader")

# Lines of the layer's settings, and what it then says it validates.
MODES = {
    "plain": ((), ()),
    "synchronization": (("validate_core = true", "validate_sync = true", "syncval_shader_accesses_heuristic = true"), ("Core Checks", "Synchronization")),
    # Not what it warns of itself: features that it turns on for its own code, and that this code takes long to compile.
    "gpu-assisted": (("validate_core = false", "gpuav_enable = true", "message_id_filter = WARNING-Setting-Limit-Adjusted,GPUAV-Compile-time-general-buffer"),
                     ("GPU-AV",)),
}


def launcher(driver, folder):
    """What a command begins with that is to run on the driver: lavapipe 26, which has cooperative matrices, needs libraries of Debian 13."""
    return [os.path.join(folder, "debian-13/run")] if driver == "lavapipe-26" else []


def manifest(driver, folder):
    """The file for VK_DRIVER_FILES; `folder` is what .ci/vulkan-drivers has made."""
    if driver == "lavapipe-26":
        return os.path.join(folder, "lavapipe26.json")
    if driver != "lavapipe-22":
        return os.path.join(folder, driver.split("-")[0] + ".json")
    return glob.glob("/usr/share/vulkan/icd.d/lvp_icd.*.json")[0]


class Validation:
    """The layer that comes with SwiftShader, newer than Debian's: it also sees two writes without a barrier. It writes to a file of ours."""

    def __init__(self, mode, folder, work):
        self.lines, self.said = MODES[mode]
        self.log, self.settings, self.work = (os.path.join(work, n) for n in ("validation.log", "settings.txt", "layer"))
        self.library = os.path.join(folder, "chromium-common/usr/lib/chromium/libVkLayer_khronos_validation.so")

    def environment(self):
        if not self.lines:
            return {}
        os.makedirs(self.work, exist_ok=True)
        extensions = [{"name": name, "spec_version": "1"} for name in ("VK_EXT_debug_report", "VK_EXT_debug_utils", "VK_EXT_validation_features")]
        layer = {"name": "VK_LAYER_KHRONOS_validation", "type": "GLOBAL", "library_path": self.library, "api_version": "1.3.0", "implementation_version": "1",
                 "description": "validation", "instance_extensions": extensions}
        with open(os.path.join(self.work, "validation.json"), "w") as file:
            json.dump({"file_format_version": "1.2.0", "layer": layer}, file)
        self.report("error,warn,perf")
        return {"VK_LAYER_PATH": self.work, "VK_INSTANCE_LAYERS": layer["name"], "VK_LAYER_SETTINGS_PATH": self.settings}

    def report(self, levels):
        with open(self.settings, "w") as file:
            for line in (*self.lines, "debug_action = VK_DBG_LAYER_ACTION_LOG_MSG", f"report_flags = {levels}", f"log_filename = {self.log}"):
                print("khronos_validation." + line, file=file)

    def messages(self):
        """What the layer has written since the last call."""
        if not os.path.exists(self.log):
            return ""
        with open(self.log) as file:
            text = file.read()
        os.remove(self.log)
        return text

    def check_active(self, run):
        """Says what is wrong if the layer does not announce the mode in `run`; empty if it does."""
        if not self.lines:
            return ""
        self.report("error,warn,perf,info")
        run()
        self.report("error,warn,perf")
        text = self.messages()
        missing = [name for name in self.said if "- " + name not in text]
        return f"the validation layer does not say that it checks {', '.join(missing)}: {text[:400]!r}" if missing else ""


class MinimumProfile:
    """A layer of ours lowers the device's limits to those that every device has; it validates nothing."""

    def __init__(self, layer):
        self.layer = layer

    def environment(self):
        return {"VK_LAYER_PATH": self.layer, "VK_INSTANCE_LAYERS": "VK_LAYER_FOVEA_test", "FOVEA_LAYER_MINIMUM": "1"}

    def messages(self):
        return ""

    def check_active(self, run):
        listed = run().stdout.decode()
        return "" if "workgroups of 128, " in listed and "16384 bytes shared" in listed else f"the limits are not lowered: {listed!r}"
