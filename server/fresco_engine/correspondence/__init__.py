"""What moved where: optical flow, occlusion, warping, flow paths, similarity, saliency."""
