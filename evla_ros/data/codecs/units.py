# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The units of the numbers in ROS's standard messages, as REP 103 and their definitions say."""

from __future__ import annotations

_ROTATION, _SPIN = "rad or m", "rad/s or m/s"
_UNITS = {
    "geometry_msgs/msg/Point": {"": "m"},
    "geometry_msgs/msg/Quaternion": {"": "1"},
    "sensor_msgs/msg/JointState": {
        "position": _ROTATION, "velocity": _SPIN, "effort": "N m or N",
    },
    "trajectory_msgs/msg/JointTrajectoryPoint": {
        "positions": _ROTATION, "velocities": _SPIN, "accelerations": "rad/s^2 or m/s^2",
        "effort": "N m or N",
    },
    "sensor_msgs/msg/Temperature": {"temperature": "degC"},
    "sensor_msgs/msg/FluidPressure": {"fluid_pressure": "Pa"},
    "sensor_msgs/msg/RelativeHumidity": {"relative_humidity": "1"},
    "sensor_msgs/msg/Illuminance": {"illuminance": "lx"},
    "sensor_msgs/msg/Range": {
        "range": "m", "min_range": "m", "max_range": "m", "field_of_view": "rad",
    },
    "sensor_msgs/msg/LaserScan": {
        "angle_min": "rad", "angle_max": "rad", "angle_increment": "rad", "time_increment": "s",
        "scan_time": "s", "range_min": "m", "range_max": "m", "ranges": "m",
    },
    "sensor_msgs/msg/BatteryState": {
        "voltage": "V", "temperature": "degC", "current": "A", "charge": "Ah", "capacity": "Ah",
        "percentage": "1",
    },
    "sensor_msgs/msg/NavSatFix": {"latitude": "deg", "longitude": "deg", "altitude": "m"},
    "builtin_interfaces/msg/Duration": {"sec": "s", "nanosec": "ns"},
}  # fmt: skip
# Of vectors it is the message around them that gives the unit.
_VECTORS = {
    ("geometry_msgs/msg/Wrench", "force"): "N",
    ("geometry_msgs/msg/Wrench", "torque"): "N m",
    ("geometry_msgs/msg/Twist", "linear"): "m/s",
    ("geometry_msgs/msg/Twist", "angular"): "rad/s",
    ("geometry_msgs/msg/Accel", "linear"): "m/s^2",
    ("geometry_msgs/msg/Accel", "angular"): "rad/s^2",
    ("geometry_msgs/msg/Transform", "translation"): "m",
    ("sensor_msgs/msg/Imu", "angular_velocity"): "rad/s",
    ("sensor_msgs/msg/Imu", "linear_acceleration"): "m/s^2",
    ("sensor_msgs/msg/MagneticField", "magnetic_field"): "T",
}


def unit_of(message_type: str, field: str) -> str:
    """Return the unit of a message's field, or of the vector in it; empty where none is known."""
    units = _UNITS.get(message_type, {})
    return units.get(field) or units.get("", "") or _VECTORS.get((message_type, field), "")
