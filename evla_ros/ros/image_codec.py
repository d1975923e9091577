# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Raw CDR of an image message to RGB, when it is needed and not before.

Common encodings are views on the message's own bytes (evla_ros.data.codecs.camera); what that does
not know goes through cv_bridge where a ROS installation has a working one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.codecs.camera import is_compressed, rgb_from_cdr
from evla_ros.data.image_message import ENCODINGS, ImageMessageError
from evla_ros.data.messages import decode_image

Rgb = npt.NDArray[np.uint8]


def decode_rgb(data: bytes, message_type: str) -> Rgb:
    """Return [H, W, 3] uint8 RGB from the CDR bytes of a camera's message.

    Raises EvlaError (ImageMessageError, CdrError) for bytes, sizes or encodings that do not fit.
    """
    if not is_compressed(message_type) and decode_image(data).encoding not in ENCODINGS:
        return _through_cv_bridge(data)
    return rgb_from_cdr(data, message_type)


def _through_cv_bridge(data: bytes) -> Rgb:
    encoding = decode_image(data).encoding
    try:
        from cv_bridge import CvBridge
        from rclpy.serialization import deserialize_message
        from sensor_msgs.msg import Image
    except (ImportError, AttributeError) as error:  # AttributeError: a cv_bridge built for NumPy 1
        raise ImageMessageError(
            f"image encoding {encoding!r} needs cv_bridge, which is not usable here; "
            f"without it: {', '.join(ENCODINGS)}"
        ) from error
    try:
        image: Any = CvBridge().imgmsg_to_cv2(deserialize_message(data, Image), "rgb8")
    except Exception as error:  # cv_bridge and OpenCV raise their own kinds
        raise ImageMessageError(f"cv_bridge cannot turn {encoding!r} into RGB: {error}") from error
    return np.asarray(image, dtype=np.uint8)
